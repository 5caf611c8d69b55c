/** How a thread that holds a core sleeps: parked, in poll(2), or napping. */
@NullMarked
package dev.millrace.io.sleep;

import org.jspecify.annotations.NullMarked;
