package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.TcpSegment;

/**
 * One acceptable acknowledgment as the sender hands it to loss recovery, in stream positions. A flyweight: a core has one and refills it
 * for each.
 */
final class Acknowledgment {
    static final long NONE = -1;

    /** SND.UNA now. */
    long una;

    /** SEG.ACK: SND.UNA, or less when the segment was overtaken by a newer acknowledgment. */
    long acknowledged;

    /** It meets RFC 5681 §2's definition of a duplicate, except that it may carry SACK blocks. */
    boolean duplicate;

    /** Edges of its SACK blocks, in the order of the option; not yet validated. */
    final long[] sackFrom = new long[TcpSegment.MAX_SACK_BLOCKS];

    final long[] sackTo = new long[TcpSegment.MAX_SACK_BLOCKS];
    int sackBlocks;

    /** When the segment left whose timestamp it echoes, rounded down to the timestamp clock's tick; {@link #NONE} without timestamps. */
    long echoNs;

    /** The congestion window limited what was in flight (RFC 7661 §4.1). */
    boolean windowLimited;

    /** It carries the echo of a congestion mark. */
    boolean ecnEcho;

    /** There is data not sent yet, which the peer's window would take. */
    boolean newDataWaits;

    long nowNs;

    /** Begins anew, with an acknowledgment that says nothing but this. */
    void begin(long unacknowledged, long segAck, long arrivedNs) {
        una = unacknowledged;
        acknowledged = segAck;
        duplicate = false;
        sackBlocks = 0;
        echoNs = NONE;
        windowLimited = false;
        ecnEcho = false;
        newDataWaits = false;
        nowNs = arrivedNs;
    }

    void takeSack(TcpSegment segment, Sender sender) {
        sackBlocks = segment.sackBlocks;
        for (int i = 0; i < segment.sackBlocks; i++) {
            sackFrom[i] = sender.positionOf(segment.sackLeft[i]);
            sackTo[i] = sender.positionOf(segment.sackRight[i]);
        }
    }

    void takeEcho(TcpSegment segment, Timestamps timestamps) {
        if (timestamps.enabled && segment.hasTimestamp) {
            echoNs = timestamps.echoedNs(segment.timestampEcho, nowNs);
        }
    }
}
