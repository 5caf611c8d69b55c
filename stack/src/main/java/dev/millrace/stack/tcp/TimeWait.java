package dev.millrace.stack.tcp;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.SequenceNumber;
import dev.millrace.stack.wire.TcpSegment;
import org.jspecify.annotations.Nullable;

/**
 * What is left of a connection that we closed first: enough to acknowledge the peer's FIN again and to tell old segments from a new
 * connection (RFC 9293 §3.4.3, §3.10.7.4; RFC 1337; RFC 6191). Core thread only.
 */
final class TimeWait extends Flow {
    final Path path;
    /** SND.NXT */
    final int sendNext;
    /** RCV.NXT */
    final int receiveNext;

    // a list of the shard's entries in the order of expiry, kept by TimeWaitTable
    long expiresNs;

    @Nullable
    TimeWait earlier;

    @Nullable
    TimeWait later;

    private final Tcp tcp;
    private final int windowField;
    private final boolean hasTimestamps;
    private final int timestampOffset;
    private final int timestampRecent;
    private int lastTimestampSent;
    private long lastChallengeNs;

    TimeWait(TcpConnection connection, long nowNs) {
        super(
                connection.localHigh,
                connection.localLow,
                connection.localPort,
                connection.remoteHigh,
                connection.remoteLow,
                connection.remotePort);
        Receiver receiver = connection.receiver;
        this.tcp = connection.tcp;
        this.path = connection.path;
        this.sendNext = connection.sender.sequenceOf(connection.sender.nxt);
        this.receiveNext = receiver.sequence();
        this.windowField = receiver.windowToAdvertise();
        this.hasTimestamps = receiver.timestamps.enabled;
        this.timestampOffset = receiver.timestamps.offset;
        this.timestampRecent = receiver.timestamps.recent;
        this.lastTimestampSent = receiver.timestamps.value(nowNs);
        this.lastChallengeNs = nowNs - ChallengeAcks.CONNECTION_INTERVAL_NS;
    }

    /** RFC 9293 §3.10.7.4 for TIME-WAIT. A SYN that may open a new connection has been taken out before. */
    void onSegment(TcpSegment segment, long nowNs) {
        if (segment.has(TcpSegment.RST)) {
            tcp.counters.increment(Counter.DROP_TCP_RESET_IN_TIME_WAIT); // RFC 1337: assassination
            return;
        }
        if (!segment.has(TcpSegment.ACK) && !tcp.config.features().quirks().timeWaitAnswersAll()) {
            tcp.counters.increment(Counter.DROP_TCP_IN_TIME_WAIT);
            return;
        }
        if (segment.has(TcpSegment.FIN) && segment.sequence + segment.payloadLength + 1 == receiveNext) {
            tcp.timeWaits.restart(this, nowNs);
            acknowledge(nowNs);
            return;
        }
        boolean expected = segment.sequence == receiveNext && segment.sequenceLength() == 0;
        tcp.counters.increment(Counter.DROP_TCP_IN_TIME_WAIT);
        if (!expected && nowNs - lastChallengeNs >= ChallengeAcks.CONNECTION_INTERVAL_NS) {
            lastChallengeNs = nowNs; // an answer to a FIN does not count, as on Linux
            acknowledge(nowNs);
        }
    }

    /** Says where we are. */
    void acknowledge(long nowNs) {
        lastTimestampSent = timestamp(nowNs);
        boolean sent = tcp.writer.bare(
                path,
                localPort,
                remotePort,
                sendNext,
                receiveNext,
                TcpSegment.ACK,
                windowField,
                hasTimestamps,
                lastTimestampSent,
                timestampRecent,
                SegmentOutput.Kind.ACK,
                nowNs);
        if (!sent) {
            tcp.counters.increment(Counter.TCP_OUTPUT_BLOCKED); // the peer sends its FIN again
        }
    }

    /**
     * Whether a SYN belongs to a new connection and not to the one that ended (RFC 6191 §2, RFC 9293 MAY-2): its timestamp is newer, or with
     * the same or no timestamps its sequence number is.
     */
    boolean mayReopen(TcpSegment syn) {
        if (!syn.has(TcpSegment.SYN) || syn.has(TcpSegment.ACK)) {
            return false;
        }
        boolean newerSequence = SequenceNumber.gt(syn.sequence, receiveNext);
        if (!hasTimestamps || !syn.hasTimestamp) {
            return newerSequence;
        }
        int newer = syn.timestampValue - timestampRecent;
        return newer > 0 || newer == 0 && newerSequence;
    }

    /**
     * Whether we may open a new connection with this tuple: the peer's PAWS, or its own TIME-WAIT, will tell the two apart by our timestamps, which it compares by
     * their values, so that one tick is enough. Linux waits for a second (tcp_tw_reuse_delay), which bounds connects to one server to as many a second
     * as there are ports. A port that the application has bound itself does not wait for the clock's next tick, as on Linux: then it is the sequence
     * number that tells.
     */
    boolean mayReuse(boolean bound, long nowNs) {
        int newer = timestamp(nowNs) - lastTimestampSent;
        boolean rested = newer > 0 && nowNs - tcp.timeWaits.sinceNs(this) >= tcp.config.timeWaitReuseNs();
        return hasTimestamps && (bound ? newer >= 0 : rested);
    }

    /** An initial sequence number for the next connection of this tuple, beyond all that this one used. */
    int nextInitialSequence(int generated) {
        return SequenceNumber.gt(generated, sendNext) ? generated : sendNext + 0xffff + 2;
    }

    private int timestamp(long nowNs) {
        return IsnGenerator.timestampClock(nowNs) + timestampOffset;
    }
}
