package dev.millrace.io.impair;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.contract.TestFrames;
import dev.millrace.io.loop.LoopLinkFactory;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What becomes of frames on a bad line; the clock is the test's own. */
class ImpairmentTest {
    private static final int FRAMES = 10_000;

    @Test
    void readsEveryKeyAndUnit() throws Exception {
        Impairment all = Impairment.parse(
                "loss=1%,duplicate=0.5,corrupt=0.1%,reorder=2%,delay=20ms,jitter=500us,rate=10mbit,pause=200ms,seed=7");
        assertEquals(new Impairment(0.01, 0.5, 0.001, 0.02, 20_000_000, 500_000, 10_000_000, 200_000_000, 7), all);
    }

    @Test
    void namesThePartThatIsWrong() {
        for (String wrong : List.of(
                "",
                "loss",
                "loss=",
                "loss=2",
                "loss=-1%",
                "loss=nan",
                "delay=20",
                "pause=600ms",
                "speed=3",
                "seed=x")) {
            LinkException e = assertThrows(LinkException.class, () -> Impairment.parse("loss=1%," + wrong), wrong);
            assertTrue(
                    e.getMessage().contains("'" + wrong + "'") && e.getMessage().contains("allowed"), e.getMessage());
        }
    }

    @Test
    void aGoodLineChangesNothing() throws Exception {
        List<Integer> arrived = pass(Impairment.NONE);
        for (int i = 0; i < FRAMES; i++) {
            assertEquals(i, arrived.get(i));
        }
    }

    @Test
    void theSameSeedRepeatsTheSameRun() throws Exception {
        Impairment bad = Impairment.parse("loss=5%,duplicate=5%,reorder=5%,jitter=1ms,seed=3");
        assertEquals(pass(bad), pass(bad));
        assertNotEquals(pass(bad), pass(Impairment.parse("loss=5%,duplicate=5%,reorder=5%,jitter=1ms,seed=4")));
    }

    @Test
    void losesAsOftenAsTold() throws Exception {
        // both directions of a loop: survives twice with 0.9 each
        assertEquals(0.81, pass(Impairment.parse("loss=10%")).size() / (double) FRAMES, 0.02);
    }

    @Test
    void duplicatesAsOftenAsTold() throws Exception {
        assertEquals(1.21, pass(Impairment.parse("duplicate=10%")).size() / (double) FRAMES, 0.02);
    }

    @Test
    void reorderingLosesNothingAndDelaysByAFewFrames() throws Exception {
        List<Integer> arrived = pass(Impairment.parse("reorder=5%"));
        assertEquals(FRAMES, new HashSet<>(arrived).size());
        assertEquals(FRAMES, arrived.size());
        int overtaken = 0;
        for (int i = 0; i < FRAMES; i++) {
            int late = i - arrived.get(i);
            assertTrue(
                    late <= 2 * Impairment.MAX_OVERTAKERS,
                    "frame " + arrived.get(i) + " came " + late + " places late");
            overtaken += late > 0 ? 1 : 0;
        }
        assertEquals(0.1, overtaken / (double) FRAMES, 0.03);
    }

    @Test
    void corruptionFlipsOneBitBehindTheEthernetHeader() throws Exception {
        AtomicLong clock = new AtomicLong();
        try (Port port = port(Impairment.parse("corrupt=100%"), clock)) {
            PortPeer peer = new PortPeer(port, 0);
            SplittableRandom random = new SplittableRandom(5);
            int flipped = 0;
            for (int i = 0; i < 100; i++) {
                byte[] frame = TestFrames.numbered(i, 200, random);
                assertTrue(peer.offer(frame));
                byte[] arrived = peer.poll();
                assertArrayEquals(Arrays.copyOf(frame, 14), Arrays.copyOf(arrived, 14));
                for (int at = 0; at < frame.length; at++) {
                    flipped += Integer.bitCount((frame[at] ^ arrived[at]) & 0xff);
                }
            }
            assertTrue(flipped > 190 && flipped <= 200, "bits flipped in 100 frames on two lines: " + flipped);
        }
    }

    @Test
    void delayAndRateHoldFramesUntilTheirTime() throws Exception {
        AtomicLong clock = new AtomicLong();
        try (Port port = port(Impairment.parse("delay=1ms,rate=8mbit"), clock)) {
            PortPeer peer = new PortPeer(port, 0);
            byte[] frame = TestFrames.numbered(1, 1000, new SplittableRandom(1)); // 1 ms at 8 Mbit/s
            assertTrue(peer.offer(frame));
            clock.set(1_999_999);
            assertEquals(null, peer.poll());
            clock.set(2_000_000); // out of the first line, into the second
            assertEquals(null, peer.poll());
            clock.set(3_999_999);
            assertEquals(null, peer.poll());
            clock.set(4_000_000);
            assertArrayEquals(frame, peer.poll());
        }
    }

    @Test
    void aPauseHoldsOneDirectionAtATime() throws Exception {
        AtomicLong clock = new AtomicLong();
        try (Port port = port(Impairment.parse("pause=200ms"), clock)) {
            PortPeer peer = new PortPeer(port, 0);
            byte[] frame = TestFrames.numbered(1, 1000, new SplittableRandom(1));
            clock.set(600_000_000); // the outbound line stands still from 500 to 700 ms, the inbound one from 1000 to
            // 1200
            assertTrue(peer.offer(frame));
            clock.set(699_999_999);
            assertEquals(null, peer.poll());
            clock.set(700_000_000);
            assertArrayEquals(frame, peer.poll());
            clock.set(1_100_000_000);
            assertTrue(peer.offer(frame));
            clock.set(1_199_999_999);
            assertEquals(null, peer.poll());
            clock.set(1_200_000_000);
            assertArrayEquals(frame, peer.poll());
        }
    }

    private static Port port(Impairment impairment, AtomicLong clock) throws LinkException {
        Port loop = new LoopLinkFactory().open("", new LinkOptions(1, 1500, 0, 512, List.of()));
        return new ImpairedPort(loop, impairment, clock::get);
    }

    /** Sends numbered frames over a loop, a microsecond apart, and answers the numbers as they arrive. */
    private static List<Integer> pass(Impairment impairment) throws LinkException {
        AtomicLong clock = new AtomicLong();
        List<Integer> arrived = new ArrayList<>();
        SplittableRandom random = new SplittableRandom(11);
        try (Port port = port(impairment, clock)) {
            PortPeer peer = new PortPeer(port, 0);
            for (int i = 0; i < FRAMES; i++) {
                assertTrue(peer.offer(TestFrames.numbered(i, 60, random)));
                clock.addAndGet(1_000);
                collect(peer, arrived);
            }
            for (int i = 0; i < 10; i++) {
                clock.addAndGet(5_000_000);
                collect(peer, arrived);
            }
        }
        return arrived;
    }

    private static void collect(PortPeer peer, List<Integer> arrived) {
        for (byte[] frame = peer.poll(); frame != null; frame = peer.poll()) {
            arrived.add((frame[14] & 255) << 24 | (frame[15] & 255) << 16 | (frame[16] & 255) << 8 | frame[17] & 255);
        }
    }
}
