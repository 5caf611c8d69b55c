/** Timers over a clock that is always a parameter. */
@NullMarked
package dev.millrace.stack.time;

import org.jspecify.annotations.NullMarked;
