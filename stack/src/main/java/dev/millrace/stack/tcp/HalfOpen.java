package dev.millrace.stack.tcp;

import dev.millrace.stack.time.TimerWheel;
import dev.millrace.stack.wire.TcpSegment;

/**
 * A passive open in SYN-RECEIVED: what must be remembered of a SYN until its SYN+ACK is answered, and no more, since anybody can send
 * SYNs (RFC 4987 §3.3). Core thread only.
 */
final class HalfOpen extends Flow implements TimerWheel.Timer {
    final TcpListener listener;
    final Path path;
    final int iss;
    final int irs;
    final int peerMss;
    /** The peer's shift, −1 without the option. */
    final int windowScale;

    final int windowField;
    final boolean sackPermitted;
    final boolean hasTimestamps;
    final int timestampOffset;
    final int windowOffered;
    final int trafficClass;
    int timestampRecent;
    int retransmissions;
    long firstSentNs;
    long timerId = TimerWheel.NONE;
    long lastAnswerNs;

    private final PassiveOpen owner;

    HalfOpen(
            PassiveOpen owner,
            TcpListener listener,
            Path path,
            TcpSegment syn,
            int iss,
            int timestampOffset,
            int windowOffered,
            long nowNs) {
        super(
                syn.destinationHigh,
                syn.destinationLow,
                syn.destinationPort,
                syn.sourceHigh,
                syn.sourceLow,
                syn.sourcePort);
        this.owner = owner;
        this.listener = listener;
        this.path = path;
        this.iss = iss;
        this.irs = syn.sequence;
        this.peerMss = SegmentArrival.peerMss(syn, path);
        this.windowScale = syn.windowScale;
        this.windowField = syn.window;
        this.sackPermitted = syn.sackPermitted;
        this.hasTimestamps = syn.hasTimestamp;
        this.timestampRecent = syn.timestampValue;
        this.timestampOffset = timestampOffset;
        this.windowOffered = windowOffered;
        this.trafficClass = listener.options().trafficClass;
        this.firstSentNs = nowNs;
        this.lastAnswerNs = nowNs - ChallengeAcks.CONNECTION_INTERVAL_NS;
    }

    @Override
    public void onTimer(long nowNs) {
        timerId = TimerWheel.NONE;
        owner.onTimeout(this, nowNs);
    }
}
