package dev.millrace.stack.tcp;

/** When connections look for the path's MTU without ICMP's help (RFC 4821); Linux' tcp_mtu_probing 0, 1, 2. Immutable. */
public enum MtuProbing {
    /** Only ICMP says what the path takes. */
    OFF,
    /** Once full segments have timed out repeatedly, as they do behind a router that drops without a word. */
    BLACKHOLE,
    /** From the first segment on: every connection begins with small segments and searches upwards. */
    ON
}
