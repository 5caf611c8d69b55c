/**
 * The contract of NIO as applications know it, one set of assertions for every provider: the JDK's own, which is the oracle, and
 * Millrace. Where a test fails on the oracle the test is wrong.
 */
package dev.millrace.compat.contract;
