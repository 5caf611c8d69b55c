/** The link {@code loop}: a stack that talks to itself only. */
@NullMarked
package dev.millrace.io.loop;

import org.jspecify.annotations.NullMarked;
