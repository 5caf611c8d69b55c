/**
 * Unmodified applications on Millrace, each in a JVM of its own that knows it only by the agent flag, against real peers: Linux's own
 * TCP and its clients in another network namespace, or a second JVM on Millrace.
 */
package dev.millrace.compat.e2e;
