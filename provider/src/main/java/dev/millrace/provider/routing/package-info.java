/** Which sockets go to the stack and which to the kernel, and why. */
@NullMarked
package dev.millrace.provider.routing;

import org.jspecify.annotations.NullMarked;
