/** Several shards on a link with fewer queues: flows are spread in software. */
@NullMarked
package dev.millrace.io.distribute;

import org.jspecify.annotations.NullMarked;
