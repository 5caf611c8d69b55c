package dev.millrace.stack.tcp;

/**
 * What one acceptable acknowledgment says, for congestion control. A flyweight: a core has one and refills it for each
 * acknowledgment. Positions count stream bytes and do not wrap.
 */
final class AckSample {
    /** Bytes that this acknowledgment newly covers cumulatively; never a count of acknowledgments (RFC 3465). */
    long ackedBytes;

    /** SND.UNA after it. */
    long unacknowledgedPosition;

    /** SND.NXT. */
    long nextPosition;

    /** Round trip measured by it, or −1. */
    long rttNs;

    /** The congestion window, not the application or the peer's window, limited what was in flight (RFC 7661 §4.1). */
    boolean windowLimited;

    /** It carries the echo of a congestion mark (RFC 3168 §6.1.2), on a connection that has agreed on ECN. */
    boolean ecnEcho;

    long nowNs;
}
