/**
 * A network of namespaces on this machine, made and removed by the program that uses it: real Linux peers for tests and for the demo,
 * with addresses from 198.18.0.0/15 and fd00:18::/64 and no way out.
 */
@NullMarked
package dev.millrace.compat.lab;

import org.jspecify.annotations.NullMarked;
