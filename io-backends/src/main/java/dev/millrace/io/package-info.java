/** What the backends share. */
@NullMarked
package dev.millrace.io;

import org.jspecify.annotations.NullMarked;
