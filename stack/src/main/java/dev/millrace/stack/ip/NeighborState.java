package dev.millrace.stack.ip;

/** What is known of a neighbour's hardware address (RFC 4861 §7.3.2), for IPv6 and, by the same rules, for IPv4. */
enum NeighborState {
    /** Asked for; packets wait. */
    INCOMPLETE,
    /** Known, and confirmed lately. */
    REACHABLE,
    /** Known, perhaps outdated; used, and doubted with the first packet sent. */
    STALE,
    /** In doubt; hints from TCP may still come. */
    DELAY,
    /** In doubt; the neighbour is being asked. */
    PROBE,
    /** Not in the cache any more: whoever still refers to it looks the neighbour up again. */
    REMOVED
}
