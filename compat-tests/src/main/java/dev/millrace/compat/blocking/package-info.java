/** An ordinary server on blocking socket channels, with platform or virtual threads; it knows nothing of Millrace. */
@NullMarked
package dev.millrace.compat.blocking;

import org.jspecify.annotations.NullMarked;
