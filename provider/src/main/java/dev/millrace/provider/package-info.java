/** The SelectorProvider itself. */
@NullMarked
package dev.millrace.provider;

import org.jspecify.annotations.NullMarked;
