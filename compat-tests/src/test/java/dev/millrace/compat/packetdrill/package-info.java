/** The project's own packet scripts, and tests of the runner itself. */
@NullMarked
package dev.millrace.compat.packetdrill;

import org.jspecify.annotations.NullMarked;
