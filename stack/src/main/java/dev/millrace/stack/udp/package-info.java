/** UDP (RFC 768, 8085): sockets, the ports they have, and what one core does for them. */
@NullMarked
package dev.millrace.stack.udp;

import org.jspecify.annotations.NullMarked;
