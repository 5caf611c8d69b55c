/** {@code ./millrace demo}: an unmodified server on the stack and on the kernel, one after the other, with the same clients. */
@NullMarked
package dev.millrace.compat.demo;

import org.jspecify.annotations.NullMarked;
