package dev.millrace.stack.tcp;

/**
 * What one acceptable acknowledgment says, for congestion control. A flyweight: a core has one and refills it for each
 * acknowledgment. Positions count stream bytes and do not wrap.
 */
final class AckSample {
    /** Bytes that this acknowledgment newly covers cumulatively; never a count of acknowledgments (RFC 3465). */
    long ackedBytes;

    /** Bytes of which it newly says that they have arrived, acknowledged or SACKed. */
    long deliveredBytes;

    /**
     * What a window may grow for in slow start and congestion avoidance: bytes that are newly known to have arrived (RFC 9937's DeliveredData), so that what was
     * SACKed, or told by duplicates, before does not count again when it is covered.
     */
    long arrivedBytes;

    /** Bytes newly deemed lost with it, and since the one before by timers; those of retransmissions count again. */
    long lostBytes;

    /** Bytes in the network (the pipe) before it and after it. */
    long priorInFlightBytes;

    long inFlightBytes;

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

    // The delivery rate, rateBytes / intervalNs (draft-cheng-iccrg-delivery-rate-estimation); see DeliveryRate

    /** Bytes delivered while the newest segment that it covers was under way. */
    long rateBytes;

    /** In so much time; −1 when it measures no rate. */
    long intervalNs;

    /** The rate is the application's, not the network's. */
    boolean appLimited;

    /** All bytes delivered on the connection when that segment was sent; says which round trip this is. */
    long priorDeliveredBytes;

    /** All bytes delivered so far. */
    long totalDeliveredBytes;

    long nowNs;
}
