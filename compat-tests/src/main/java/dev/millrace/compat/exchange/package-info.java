/** A plain java.nio server and client that exchange checked bytes in bulk, each way, and on many short connections. */
@NullMarked
package dev.millrace.compat.exchange;

import org.jspecify.annotations.NullMarked;
