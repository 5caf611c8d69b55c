/** Stateless reading and writing of protocol headers; packets are validated here, once. */
@NullMarked
package dev.millrace.stack.wire;

import org.jspecify.annotations.NullMarked;
