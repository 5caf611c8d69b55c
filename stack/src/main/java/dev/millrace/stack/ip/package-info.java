/** Everything between a frame and a TCP segment: Ethernet, ARP, IPv4, ICMP, IPv6, neighbour discovery, routes. */
@NullMarked
package dev.millrace.stack.ip;

import org.jspecify.annotations.NullMarked;
