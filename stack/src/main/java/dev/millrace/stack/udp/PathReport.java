package dev.millrace.stack.udp;

import dev.millrace.stack.wire.IpAddress;

/** A router's word that datagrams between two addresses must be smaller, on its way to the core that sends them. Immutable. */
record PathReport(IpAddress local, IpAddress remote, int mtu) {}
