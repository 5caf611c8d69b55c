/** Datagram applications as anybody would write them: echo servers on NIO and on Netty, a load that checks its answers, name service. */
@NullMarked
package dev.millrace.compat.datagram;

import org.jspecify.annotations.NullMarked;
