/** What the test applications share: their arguments, the bytes they serve, the names of their pages. */
@NullMarked
package dev.millrace.compat.app;

import org.jspecify.annotations.NullMarked;
