/** Several shards on one link: flows spread in software where it has fewer queues, address resolution shown to all where it has as many. */
@NullMarked
package dev.millrace.io.distribute;

import org.jspecify.annotations.NullMarked;
