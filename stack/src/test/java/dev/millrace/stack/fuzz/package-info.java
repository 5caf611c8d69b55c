/**
 * What the coverage-guided fuzzer runs ({@code ./millrace fuzz}): each target is a class with {@code fuzzerTestOneInput(byte[])}, which
 * throws exactly if a rule is broken. The kept corpus is in {@code src/test/corpus/<target>}; what a fuzzer finds becomes one more file there.
 */
package dev.millrace.stack.fuzz;
