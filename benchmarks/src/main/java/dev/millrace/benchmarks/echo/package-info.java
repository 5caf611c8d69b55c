/** The applications under measurement: plain NIO programs that know nothing of Millrace. */
@NullMarked
package dev.millrace.benchmarks.echo;

import org.jspecify.annotations.NullMarked;
