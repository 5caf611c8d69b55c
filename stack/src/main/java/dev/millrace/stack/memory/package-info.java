/** Off-heap memory: raw access, packets, and the byte queues between application and engine. */
@NullMarked
package dev.millrace.stack.memory;

import org.jspecify.annotations.NullMarked;
