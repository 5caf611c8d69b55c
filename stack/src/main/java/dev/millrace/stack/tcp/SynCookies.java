package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpSegment;
import java.util.random.RandomGenerator;

/**
 * SYN cookies (D. J. Bernstein, 1996; RFC 4987 §3.6): what must be remembered of a SYN is put into our initial sequence number, which the
 * final ACK brings back.
 *
 * <pre>
 *   ISS = F(tuple) + SEG.SEQ + (epoch mod 256) · 2²⁴ + (G(tuple, SEG.SEQ, epoch) + MSS index · 2²²) mod 2²⁴
 * </pre>
 *
 * {@code F} and {@code G} are SipHash-2-4. As on Linux an epoch lasts a minute and a cookie is good in its own epoch and the next, so that a
 * guess succeeds once in 2²⁹ or so; beyond Linux, {@code G} has a fresh key each epoch, so that what was collected under an old one is
 * worthless. Window scale and SACK-permitted go into the low bits of the timestamp of the SYN+ACK, as Linux does it: without the timestamps
 * option the connection has neither. One per core; core thread only; allocates nothing.
 */
final class SynCookies {
    static final int INVALID = -1;

    /** Linux' TCP_SYNCOOKIE_PERIOD. */
    private static final long EPOCH_NS = 60_000_000_000L;

    /** Linux' MAX_SYNCOOKIE_AGE: epochs in which a cookie is good. */
    private static final int MAX_AGE = 2;

    private static final int LOW_BITS = 24;
    private static final int LOW_MASK = (1 << LOW_BITS) - 1;

    /** At the top of the low part, so that an ACK which is off by a few finds no other entry of the table. */
    private static final int INDEX_SHIFT = 22;

    // Ascending; a larger offer is taken as the next smaller value. These are the MSS values that nearly all hosts
    // send.
    private static final int[] MSS_V4 = {536, 1300, 1440, 1460};
    private static final int[] MSS_V6 = {1220, 1420, 1440, 8940};

    // low bits of the timestamp
    private static final int TIMESTAMP_BITS = 6;
    private static final int TIMESTAMP_MASK = (1 << TIMESTAMP_BITS) - 1;
    private static final int SCALE_MASK = 0xf;
    private static final int NO_SCALE = 0xf;
    private static final int SACK = 1 << 4;
    private static final int ECN = 1 << 5;

    private final RandomGenerator random;
    private final long tupleKey0;
    private final long tupleKey1;
    /** Key of the epoch with this parity. */
    private final long[] epochKey0 = new long[MAX_AGE];

    private final long[] epochKey1 = new long[MAX_AGE];
    private boolean started;
    private long epoch;
    private long lastSentNs;

    SynCookies(RandomGenerator random) {
        this.random = random;
        this.tupleKey0 = random.nextLong();
        this.tupleKey1 = random.nextLong();
    }

    // ---- SYN+ACK ----

    /** The initial sequence number to answer a SYN with. */
    int initialSequence(TcpSegment syn, int peerMss, long nowNs) {
        advance(nowNs);
        lastSentNs = nowNs;
        int low = authenticator(syn, syn.sequence, epoch) + (mssIndex(peerMss, syn) << INDEX_SHIFT) & LOW_MASK;
        return tupleHash(syn) + syn.sequence + ((int) epoch << LOW_BITS) + low;
    }

    /** A timestamp at or up to 63 ms before {@code clock}, whose low bits say what the SYN asked for. */
    static int timestamp(int clock, TcpSegment syn, boolean ecn) {
        int options =
                (syn.windowScale >= 0 ? syn.windowScale : NO_SCALE) | (syn.sackPermitted ? SACK : 0) | (ecn ? ECN : 0);
        int stamped = clock & ~TIMESTAMP_MASK | options;
        return stamped - clock > 0 ? stamped - (1 << TIMESTAMP_BITS) : stamped;
    }

    // ---- final ACK ----

    /** Whether an ACK may hold a cookie: none is believed long after the last was sent, so that guessing needs a flood first. */
    boolean mayHold(long nowNs) {
        return started && nowNs - lastSentNs < MAX_AGE * EPOCH_NS;
    }

    /** The peer's MSS that the cookie in an ACK says, or {@link #INVALID}. */
    int check(TcpSegment ack, long nowNs) {
        advance(nowNs);
        int peerIss = ack.sequence - 1;
        int value = ack.acknowledgment - 1 - tupleHash(ack) - peerIss;
        int age = (int) epoch - (value >>> LOW_BITS) & 0xff;
        if (age >= MAX_AGE) {
            return INVALID;
        }
        int low = value - authenticator(ack, peerIss, epoch - age) & LOW_MASK;
        int index = low >>> INDEX_SHIFT;
        return low == index << INDEX_SHIFT ? table(ack)[index] : INVALID;
    }

    /** The peer's window scale in an echoed timestamp; −1 for none. */
    static int windowScale(int echo) {
        int scale = echo & SCALE_MASK;
        return scale == NO_SCALE ? -1 : scale;
    }

    static boolean sackPermitted(int echo) {
        return (echo & SACK) != 0;
    }

    static boolean ecn(int echo) {
        return (echo & ECN) != 0;
    }

    // ---- keys ----

    private void advance(long nowNs) {
        long current = Math.floorDiv(nowNs, EPOCH_NS);
        if (started && current <= epoch) {
            return;
        }
        if (!started || current > epoch + 1) {
            draw(current - 1);
        }
        draw(current);
        started = true;
        epoch = current;
    }

    private void draw(long ofEpoch) {
        int parity = (int) ofEpoch & MAX_AGE - 1;
        epochKey0[parity] = random.nextLong();
        epochKey1[parity] = random.nextLong();
    }

    private int authenticator(TcpSegment segment, int peerIss, long ofEpoch) {
        int parity = (int) ofEpoch & MAX_AGE - 1;
        return (int) hash(epochKey0[parity], epochKey1[parity], segment, peerIss);
    }

    private int tupleHash(TcpSegment segment) {
        return (int) hash(tupleKey0, tupleKey1, segment, 0);
    }

    private static long hash(long key0, long key1, TcpSegment segment, int peerIss) {
        long ports = (long) peerIss << 32 | (long) segment.destinationPort << 16 | segment.sourcePort;
        if (isV4(segment)) {
            long addresses = segment.destinationLow << 32 | segment.sourceLow & 0xffff_ffffL;
            return SipHash.hash(key0, key1, 2, 4, 2, addresses, ports, 0, 0, 0);
        }
        return SipHash.hash(
                key0,
                key1,
                2,
                4,
                5,
                segment.destinationHigh,
                segment.destinationLow,
                segment.sourceHigh,
                segment.sourceLow,
                ports);
    }

    private static int mssIndex(int peerMss, TcpSegment segment) {
        int[] table = table(segment);
        int index = table.length - 1;
        while (index > 0 && table[index] > peerMss) {
            index--;
        }
        return index;
    }

    private static int[] table(TcpSegment segment) {
        return isV4(segment) ? MSS_V4 : MSS_V6;
    }

    private static boolean isV4(TcpSegment segment) {
        return IpAddress.isV4(segment.sourceHigh, segment.sourceLow);
    }
}
