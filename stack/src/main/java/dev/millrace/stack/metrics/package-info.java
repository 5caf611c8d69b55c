/** Counters with drop reasons. */
@NullMarked
package dev.millrace.stack.metrics;

import org.jspecify.annotations.NullMarked;
