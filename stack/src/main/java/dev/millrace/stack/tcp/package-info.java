/** TCP. Knows neither IP nor ports; segments leave through SegmentOutput. */
@NullMarked
package dev.millrace.stack.tcp;

import org.jspecify.annotations.NullMarked;
