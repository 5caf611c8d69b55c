package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.TcpSegment;

/**
 * What Linux lets an administrator switch off. Immutable.
 *
 * @param sack selective acknowledgments are offered and agreed on (tcp_sack)
 * @param timestamps as well (tcp_timestamps)
 * @param windowScaling as well (tcp_window_scaling)
 * @param slowStartAfterIdle the congestion window restarts after an idle time of an RTO (tcp_slow_start_after_idle, RFC 5681 §4.1)
 */
public record TcpFeatures(boolean sack, boolean timestamps, boolean windowScaling, boolean slowStartAfterIdle) {
    /** All of them, as Linux ships. */
    public static final TcpFeatures ALL = new TcpFeatures(true, true, true, true);

    /** Options of a SYN that this side does not use count as not sent. */
    void restrict(TcpSegment syn) {
        syn.sackPermitted &= sack;
        syn.hasTimestamp &= timestamps;
        if (!windowScaling) {
            syn.windowScale = -1;
        }
    }
}
