/** The C library's calls that packet I/O on Linux needs, through the foreign function API. */
@NullMarked
package dev.millrace.io.posix;

import org.jspecify.annotations.NullMarked;
