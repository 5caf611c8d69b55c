/** Millrace against the Linux kernel over a link of many kinds: every cell of the matrix, or a subset that holds every pair of properties. */
@NullMarked
package dev.millrace.compat.matrix;

import org.jspecify.annotations.NullMarked;
