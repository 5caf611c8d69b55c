/**
 * Runs scripts in packetdrill's language against a {@code Stack} over a port in memory, on a virtual clock: no kernel, no privilege, no
 * waiting. {@link dev.millrace.compat.packetdrill.ScriptParser} reads a script, {@link dev.millrace.compat.packetdrill.ScriptRun} plays it.
 */
@NullMarked
package dev.millrace.compat.packetdrill;

import org.jspecify.annotations.NullMarked;
