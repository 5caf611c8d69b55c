/** StackCore wires memory, wire, ip, tcp and a port into one core's whole stack. */
@NullMarked
package dev.millrace.stack.core;

import org.jspecify.annotations.NullMarked;
