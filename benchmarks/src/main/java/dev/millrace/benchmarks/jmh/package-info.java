/** JMH benchmarks; each class states its question. */
@NullMarked
package dev.millrace.benchmarks.jmh;

import org.jspecify.annotations.NullMarked;
