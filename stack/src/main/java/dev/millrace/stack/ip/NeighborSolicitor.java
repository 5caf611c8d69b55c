package dev.millrace.stack.ip;

/** Asks a neighbour for its hardware address: ARP for IPv4, neighbour solicitation for IPv6. */
interface NeighborSolicitor {
    /** @param unicast ask the known hardware address (is it still there?) rather than everybody */
    void solicit(Neighbor neighbor, boolean unicast, long nowNs);
}
