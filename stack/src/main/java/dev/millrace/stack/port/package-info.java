/** The SPI through which frames enter and leave a stack: ports, queues, and the factories that open them. */
@NullMarked
package dev.millrace.stack.port;

import org.jspecify.annotations.NullMarked;
