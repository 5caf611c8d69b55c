/** The command line: doctor, status and other tools in the jar. */
@NullMarked
package dev.millrace.provider.command;

import org.jspecify.annotations.NullMarked;
