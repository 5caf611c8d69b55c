package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.TcpSegment;

/**
 * Behaviour that an administrator may choose, mostly what Linux lets him switch off. Immutable.
 *
 * @param sack selective acknowledgments are offered and agreed on (tcp_sack)
 * @param timestamps as well (tcp_timestamps)
 * @param windowScaling as well (tcp_window_scaling)
 * @param quickAck which segments are acknowledged at once at the start of a connection
 * @param slowStartAfterIdle the congestion window restarts after an idle time of an RTO (tcp_slow_start_after_idle, RFC 5681 §4.1)
 * @param quirks of other systems, for packet scripts only
 */
public record TcpFeatures(
        boolean sack,
        boolean timestamps,
        boolean windowScaling,
        QuickAck quickAck,
        boolean slowStartAfterIdle,
        Quirks quirks) {
    /**
     * As Linux ships, but for {@code quickAck}. A Linux server (6.18, over a veth, seen with tshark) acknowledges the first request at once and
     * answers it in another segment 0.1 ms later; from then on answers carry the acknowledgments. That segment serves nobody, and
     * short connections are made of few, so here small first segments wait for the answer. A peer that waits for the acknowledgment
     * (RFC 896) does not have to sit out the delay for that: it is sent when the application has read everything and not answered,
     * as on Linux ({@link AckSchedule#awaitsReader}).
     */
    public static final TcpFeatures DEFAULT = new TcpFeatures(true, true, true, QuickAck.FULL, true, Quirks.NONE);

    /** Options of a SYN that this side does not use count as not sent. */
    void restrict(TcpSegment syn) {
        syn.sackPermitted &= sack;
        syn.hasTimestamp &= timestamps;
        if (!windowScaling) {
            syn.windowScale = -1;
        }
    }
}
