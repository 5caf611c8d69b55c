/**
 * What two threads may see of the places where application and engine meet. Each class states its claim in prose; the outcomes
 * below it are the claim for the machine.
 */
@NullMarked
package dev.millrace.benchmarks.stress;

import org.jspecify.annotations.NullMarked;
