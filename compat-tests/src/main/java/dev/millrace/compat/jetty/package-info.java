/** An ordinary Jetty 12.1 HTTP server; it knows nothing of Millrace. */
@NullMarked
package dev.millrace.compat.jetty;

import org.jspecify.annotations.NullMarked;
