/** Makes {@code stack/CONFORMANCE.md}: what the engine owes, which tests show it, and how they ended. */
package dev.millrace.stack.conformance;
