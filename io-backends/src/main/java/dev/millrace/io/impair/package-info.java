/** A bad line on demand: loss, reordering, duplication, corruption, delay and a limited rate, from a seed. */
@NullMarked
package dev.millrace.io.impair;

import org.jspecify.annotations.NullMarked;
