/** An ordinary Netty 4.2 HTTP server and client on Netty's NIO transport; they know nothing of Millrace. */
@NullMarked
package dev.millrace.compat.netty;

import org.jspecify.annotations.NullMarked;
