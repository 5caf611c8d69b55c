/** Packet capture: a port that writes what passes through it into a pcapng file. */
@NullMarked
package dev.millrace.io.capture;

import org.jspecify.annotations.NullMarked;
