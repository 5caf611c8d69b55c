package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.TcpSegment;

/**
 * Behaviour that an administrator may choose, mostly what Linux lets him switch off. Immutable.
 *
 * @param sack selective acknowledgments are offered and agreed on (tcp_sack)
 * @param timestamps as well (tcp_timestamps)
 * @param windowScaling as well (tcp_window_scaling)
 * @param quickAckSmall at the start of a connection small segments are acknowledged at once, too, as Linux does until the application has
 *     answered; otherwise only full ones are, since an answer usually follows and carries the acknowledgment
 * @param slowStartAfterIdle the congestion window restarts after an idle time of an RTO (tcp_slow_start_after_idle, RFC 5681 §4.1)
 */
public record TcpFeatures(
        boolean sack, boolean timestamps, boolean windowScaling, boolean quickAckSmall, boolean slowStartAfterIdle) {
    /** As Linux ships, but for {@code quickAckSmall}: a segment less for each short exchange. */
    public static final TcpFeatures DEFAULT = new TcpFeatures(true, true, true, false, true);

    /** Options of a SYN that this side does not use count as not sent. */
    void restrict(TcpSegment syn) {
        syn.sackPermitted &= sack;
        syn.hasTimestamp &= timestamps;
        if (!windowScaling) {
            syn.windowScale = -1;
        }
    }
}
