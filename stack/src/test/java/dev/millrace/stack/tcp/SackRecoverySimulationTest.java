package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counters;
import java.util.ArrayDeque;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A sender that obeys {@link RackLossRecovery} over a channel that loses and reorders segments, against a receiver that keeps a {@link ReassemblyQueue}:
 * everything arrives, the pipe stays within its bounds and is empty when all is acknowledged, and timeouts are rare: only a lost tail needs one.
 */
@Rule("tcp.md: Loss recovery")
class SackRecoverySimulationTest {
    private static final int MSS = 10;
    private static final int TOTAL = 20_000;

    private record Segment(long from, long to) {}

    private static final class Ack {
        final long una;
        final long[] from;
        final long[] to;

        Ack(long una, long[] from, long[] to) {
            this.una = una;
            this.from = from;
            this.to = to;
        }
    }

    private final ReassemblyQueue queue = new ReassemblyQueue();
    private long received;

    private Ack receive(Segment segment) {
        if (segment.to > received) {
            long from = Math.max(segment.from, received);
            if (from > received) {
                assertTrue(queue.add(from, segment.to) >= 0);
            } else {
                received = queue.contiguousFrom(segment.to);
                queue.advanceTo(received);
            }
        }
        int[] left = new int[4];
        int[] right = new int[4];
        int blocks = queue.sackBlocks(left, right, 3, (int) received, received);
        long[] from = new long[blocks];
        long[] to = new long[blocks];
        for (int i = 0; i < blocks; i++) {
            from[i] = left[i];
            to[i] = right[i];
        }
        return new Ack(received, from, to);
    }

    @ParameterizedTest
    @CsvSource({"1,1,0", "2,2,2", "3,5,5", "4,20,10", "5,40,0", "6,0,30", "7,1,1", "8,10,10"})
    void everythingArrivesWithFewTimeouts(long seed, int lossPercent, int reorderPercent) {
        SplittableRandom random = new SplittableRandom(seed);
        LossRecovery recovery = new RackLossRecovery(
                new NewReno(),
                true,
                MSS,
                false,
                new RttEstimator(200),
                new Counters(),
                new AckSample(),
                new SegmentLogPool());
        Acknowledgment arrived = new Acknowledgment();
        ArrayDeque<Segment> wire = new ArrayDeque<>();
        ArrayDeque<Ack> acks = new ArrayDeque<>();
        long una = 0;
        long nxt = 0;
        int timeouts = 0;
        int sent = 0;
        for (int step = 0; una < TOTAL; step++) {
            String at = "seed " + seed + " step " + step;
            assertTrue(step < 1_000_000, at + ": no progress");
            boolean progress = false;
            while (recovery.allowanceBytes() >= MSS) {
                long from = recovery.retransmitFrom();
                if (from != LossRecovery.NOTHING) {
                    long to = recovery.retransmitTo();
                    wire.add(new Segment(from, to));
                    recovery.onRetransmitted(from, to, step);
                } else if (nxt < TOTAL && nxt - una < 200 * MSS) {
                    wire.add(new Segment(nxt, nxt + MSS));
                    recovery.onSent(nxt, nxt + MSS, step);
                    nxt += MSS;
                } else {
                    break;
                }
                sent++;
                progress = true;
                assertTrue(recovery.inFlightBytes() <= nxt - una + (nxt - una), at);
            }
            if (!wire.isEmpty()) {
                progress = true;
                Segment segment = wire.poll();
                if (random.nextInt(100) < reorderPercent) {
                    wire.add(segment);
                } else if (random.nextInt(100) >= lossPercent) {
                    acks.add(receive(segment));
                }
            }
            if (!acks.isEmpty() && random.nextInt(3) > 0) {
                progress = true;
                Ack ack = acks.poll();
                if (ack.una >= una) {
                    long prior = una;
                    una = ack.una;
                    arrived.una = una;
                    arrived.acknowledged = una;
                    arrived.duplicate = una == prior && nxt > una;
                    arrived.sackBlocks = ack.from.length;
                    System.arraycopy(ack.from, 0, arrived.sackFrom, 0, ack.from.length);
                    System.arraycopy(ack.to, 0, arrived.sackTo, 0, ack.to.length);
                    arrived.echoNs = Acknowledgment.NONE;
                    arrived.windowLimited = true;
                    arrived.nowNs = step;
                    recovery.onAck(arrived);
                    assertTrue(recovery.inFlightBytes() <= 2 * (nxt - una), at);
                    if (una == nxt) {
                        assertEquals(0, recovery.inFlightBytes(), at);
                    }
                }
            }
            if (recovery.reorderDeadlineNs() <= step) {
                recovery.onReorderTimer(step);
            } else if (!progress && acks.isEmpty() && una < nxt && recovery.reorderDeadlineNs() == Rack.NEVER) {
                timeouts++;
                recovery.onTimeout(step);
            }
        }
        assertEquals(TOTAL, received, "seed " + seed);
        assertTrue(queue.isEmpty());
        assertTrue(timeouts <= 2 + lossPercent * lossPercent / 2, "seed " + seed + ": timeouts " + timeouts);
        assertTrue(
                sent <= TOTAL / MSS * (1.3 + (lossPercent + 3.0 * reorderPercent) / 40.0),
                "seed " + seed + ": sent " + sent);
    }
}
