/** Servers and their clients in one JVM. */
@NullMarked
package dev.millrace.compat.onejvm;

import org.jspecify.annotations.NullMarked;
