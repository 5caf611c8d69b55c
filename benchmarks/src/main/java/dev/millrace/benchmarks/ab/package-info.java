/** The A/B rig: the same programs on Millrace and on the kernel, rounds interleaved, figures side by side. */
@NullMarked
package dev.millrace.benchmarks.ab;

import org.jspecify.annotations.NullMarked;
