/** java.nio.channels on top of the stack: channels, selector, keys, socket adaptors. */
@NullMarked
package dev.millrace.provider.nio;

import org.jspecify.annotations.NullMarked;
