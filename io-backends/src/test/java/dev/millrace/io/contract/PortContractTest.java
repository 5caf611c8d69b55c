package dev.millrace.io.contract;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every port promises, whatever lies beneath it. A backend's test class says how to open one with its other end. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class PortContractTest {
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(10);
    private static final int WINDOW = 32; // frames under way at once: no kernel buffer on the way overflows

    private final RandomGenerator random = new SplittableRandom(42);
    private final Packet[] burst = new Packet[64];
    private Rig rig;
    private Port port;
    private RxQueue rx;
    private TxQueue tx;

    /** Opens the link; both ends are up when this returns. */
    protected abstract Rig open() throws Exception;

    /** Fails when something of the closed port is still there. */
    protected void assertNothingIsLeft() throws Exception {}

    @BeforeEach
    void openRig() throws Exception {
        rig = open();
        port = rig.port();
        rx = port.rx(0);
        tx = port.tx(0);
        rx.release(burst, rx.receive(burst, burst.length)); // a memif client offers its buffers when it first polls
    }

    @AfterEach
    void closeRig() throws Exception {
        rig.close();
        assertNothingIsLeft();
    }

    @Test
    void describesItself() {
        assertFalse(port.name().isBlank());
        assertTrue(port.mtu() >= 1280, "IPv6 needs an MTU of 1280 (RFC 8200 §5), not " + port.mtu());
        assertTrue(port.queues() >= 1);
        assertEquals(0, port.mac() >>> 40 & 1, "the group bit is set in the hardware address");
        assertTrue(port.linkUp());
    }

    @Test
    void transmittedFramesArriveIntactAndInOrder() {
        Queue<byte[]> underWay = new ArrayDeque<>();
        for (int i = 0; i < 1000; i++) {
            byte[] frame = TestFrames.ofRandomLength(i, port.mtu(), random);
            transmit(frame);
            underWay.add(frame);
            if (underWay.size() == WINDOW) {
                expectAtPeer(underWay);
            }
        }
        expectAtPeer(underWay);
    }

    @Test
    void framesOfThePeerArriveIntactAndInOrder() {
        Queue<byte[]> underWay = new ArrayDeque<>();
        for (int i = 0; i < 1000; i++) {
            byte[] frame = TestFrames.ofRandomLength(i, port.mtu(), random);
            offer(frame);
            underWay.add(frame);
            if (underWay.size() == WINDOW) {
                expectAtPort(underWay);
            }
        }
        expectAtPort(underWay);
    }

    @Test
    void framesOfTheLargestSizePassBothWays() {
        byte[] out = TestFrames.largest(1, port.mtu(), random);
        transmit(out);
        expectAtPeer(new ArrayDeque<>(List.of(out)));
        byte[] in = TestFrames.largest(2, port.mtu(), random);
        offer(in);
        expectAtPort(new ArrayDeque<>(List.of(in)));
    }

    @Test
    void freshPacketsHaveHeadroomAndSpaceForAFullFrame() {
        Packet packet = allocate();
        assertEquals(TxQueue.HEADROOM, packet.address - packet.bufferAddress);
        assertEquals(0, packet.length);
        assertEquals(0, packet.flags);
        assertTrue(packet.tailroom() >= 14 + port.mtu(), "tailroom " + packet.tailroom());
        tx.release(packet);
    }

    @Test
    void aPacketMayBeginAnywhereInItsHeadroom() {
        byte[] frame = TestFrames.numbered(7, 200, random);
        Packet packet = allocate();
        packet.length = frame.length - 54;
        Memory.copy(frame, 54, packet.address, frame.length - 54);
        packet.prepend(54);
        Memory.copy(frame, 0, packet.address, 54);
        burst[0] = packet;
        transmitAll(1);
        expectAtPeer(new ArrayDeque<>(List.of(frame)));
    }

    @Test
    void anEmptyPoolAnswersNullAndRecovers() {
        List<Packet> all = new ArrayList<>();
        for (Packet packet = tx.allocate(); packet != null; packet = tx.allocate()) {
            all.add(packet);
            assertTrue(all.size() <= 1 << 20, "the pool is not bounded");
        }
        assertTrue(all.size() >= rig.packets() / 4, "only " + all.size() + " packets");
        all.forEach(tx::release);
        int again = 0;
        for (Packet packet = tx.allocate(); packet != null; packet = tx.allocate()) {
            all.set(again++, packet);
        }
        assertEquals(all.size(), again);
        all.forEach(tx::release);
    }

    @Test
    void packetsComeBackHoweverManyAreSent() {
        Queue<byte[]> underWay = new ArrayDeque<>();
        for (int i = 0; i < 4 * rig.packets(); i++) {
            byte[] frame = TestFrames.numbered(i, 60, random);
            transmit(frame);
            underWay.add(frame);
            if (underWay.size() == WINDOW) {
                expectAtPeer(underWay);
            }
        }
        expectAtPeer(underWay);
    }

    @Test
    void whatIsNotAcceptedStaysTheCallers() {
        List<byte[]> accepted = new ArrayList<>();
        boolean refused = false;
        for (int i = 0; i < 2 * rig.packets() && !refused; i++) {
            byte[] frame = TestFrames.numbered(i, 60, random);
            Packet packet = tx.allocate();
            if (packet == null) {
                break;
            }
            fill(packet, frame);
            burst[0] = packet;
            refused = tx.transmit(burst, 1) == 0;
            if (refused) {
                assertEquals(frame.length, packet.length);
                tx.release(packet);
            } else {
                accepted.add(frame);
            }
        }
        int arrived = 0;
        byte[] frame = pollPeer(accepted.isEmpty() ? 0 : PATIENCE_NS);
        while (frame != null) {
            arrived++;
            frame = pollPeer(TimeUnit.MILLISECONDS.toNanos(200));
        }
        assertTrue(arrived > 0 && arrived <= accepted.size(), arrived + " of " + accepted.size());
        transmit(TestFrames.numbered(1, 100, random));
        assertNotNull(pollPeer(PATIENCE_NS), "nothing passes after a full ring");
    }

    @Test
    void receivesNothingWhenNothingWasSent() {
        assertEquals(0, receiveOurs());
    }

    @Test
    void takesNoMoreThanAskedFor() {
        for (int i = 0; i < 8; i++) {
            offer(TestFrames.numbered(i, 60, random));
        }
        int seen = 0;
        long deadline = System.nanoTime() + PATIENCE_NS;
        while (seen < 8) {
            int count = rx.receive(burst, 3);
            assertTrue(count <= 3);
            for (int i = 0; i < count; i++) {
                seen += TestFrames.isOurs(bytesOf(burst[i])) ? 1 : 0;
            }
            rx.release(burst, count);
            assertTrue(System.nanoTime() < deadline, "only " + seen + " frames came");
        }
    }

    // ---- sleeping ----

    @Test
    void aWakeBeforeTheSleepEndsIt() {
        rx.wake();
        assertEndsSoon();
    }

    @Test
    void sleepEndsWithTheTimeout() {
        long start = System.nanoTime();
        while (System.nanoTime() - start < 3_000_000) {
            rx.await(1_000_000);
        }
        assertTrue(System.nanoTime() - start < PATIENCE_NS);
    }

    @Test
    void anInterruptEndsTheSleepAndStaysSet() {
        Thread.currentThread().interrupt();
        assertEndsSoon();
        assertTrue(Thread.interrupted(), "the flag was cleared");
    }

    @Test
    void aFrameEndsTheSleep() throws Exception {
        Thread sender = Thread.ofPlatform().unstarted(() -> offer(TestFrames.numbered(1, 60, random)));
        if (rig.leadsBack()) {
            offer(TestFrames.numbered(1, 60, random)); // one queue is used by one thread
        } else {
            sender.start();
        }
        long start = System.nanoTime();
        while (receiveOurs() == 0) {
            rx.await(PATIENCE_NS);
            assertTrue(System.nanoTime() - start < PATIENCE_NS, "the frame did not end the sleep");
        }
        sender.join();
    }

    @Test
    void noWakeIsLost() throws Exception {
        int rounds = 5_000;
        AtomicInteger answered = new AtomicInteger();
        AtomicInteger request = new AtomicInteger();
        Thread waker = Thread.ofPlatform().start(() -> {
            for (int i = 1; i <= rounds; i++) {
                request.set(i);
                rx.wake();
                while (answered.get() < i) {
                    Thread.onSpinWait();
                }
            }
        });
        long start = System.nanoTime();
        for (int i = 1; i <= rounds; i++) {
            while (request.get() < i) {
                rx.await(PATIENCE_NS);
            }
            answered.set(i);
        }
        waker.join();
        assertTrue(System.nanoTime() - start < PATIENCE_NS, "a sleep ended by its timeout: a wake was lost");
    }

    // ---- the end ----

    @Test
    void closeIsIdempotent() throws Exception {
        port.close();
        port.close();
        assertNotNull(port.name());
    }

    @Test
    void statisticsCountNothingOfAQuietLink() {
        assertEquals(0, port.statistics().rxErrors());
        assertEquals(0, port.statistics().txDropped());
    }

    // ---- steps ----

    private Packet allocate() {
        Packet packet = tx.allocate();
        assertNotNull(packet, "the pool is empty");
        return packet;
    }

    private static void fill(Packet packet, byte[] frame) {
        Memory.copy(frame, 0, packet.address, frame.length);
        packet.length = frame.length;
    }

    private void transmit(byte[] frame) {
        Packet packet = allocate();
        fill(packet, frame);
        burst[0] = packet;
        transmitAll(1);
    }

    private void transmitAll(int count) {
        long deadline = System.nanoTime() + PATIENCE_NS;
        int sent = tx.transmit(burst, count);
        while (sent < count) {
            System.arraycopy(burst, sent, burst, 0, count - sent);
            count -= sent;
            sent = tx.transmit(burst, count);
            assertTrue(System.nanoTime() < deadline, "the ring stays full");
        }
    }

    private void offer(byte[] frame) {
        long deadline = System.nanoTime() + PATIENCE_NS;
        while (!rig.peer().offer(frame)) {
            assertTrue(System.nanoTime() < deadline, "the peer cannot send");
            Thread.onSpinWait();
        }
    }

    private void expectAtPeer(Queue<byte[]> frames) {
        while (!frames.isEmpty()) {
            byte[] arrived = pollPeer(PATIENCE_NS);
            assertNotNull(arrived, frames.size() + " frames are missing at the peer");
            assertSameFrame(frames.remove(), arrived);
        }
    }

    private void expectAtPort(Queue<byte[]> frames) {
        long deadline = System.nanoTime() + PATIENCE_NS;
        while (!frames.isEmpty()) {
            assertTrue(System.nanoTime() < deadline, frames.size() + " frames are missing at the port");
            int count = rx.receive(burst, burst.length);
            for (int i = 0; i < count; i++) {
                byte[] arrived = bytesOf(burst[i]);
                if (TestFrames.isOurs(arrived)) {
                    assertSameFrame(frames.remove(), arrived);
                }
            }
            rx.release(burst, count);
        }
    }

    private static void assertSameFrame(byte[] expected, byte[] actual) {
        assertArrayEquals(expected, actual);
    }

    private byte @Nullable [] pollPeer(long patienceNs) {
        long deadline = System.nanoTime() + patienceNs;
        do {
            byte[] frame = rig.peer().poll();
            if (frame != null && TestFrames.isOurs(frame)) {
                return frame;
            }
            Thread.onSpinWait();
        } while (System.nanoTime() < deadline);
        return null;
    }

    private int receiveOurs() {
        int count = rx.receive(burst, burst.length);
        int ours = 0;
        for (int i = 0; i < count; i++) {
            ours += TestFrames.isOurs(bytesOf(burst[i])) ? 1 : 0;
        }
        rx.release(burst, count);
        return ours;
    }

    private static byte[] bytesOf(Packet packet) {
        byte[] bytes = new byte[packet.length];
        Memory.copy(packet.address, bytes, 0, bytes.length);
        return bytes;
    }

    private void assertEndsSoon() {
        long start = System.nanoTime();
        rx.await(PATIENCE_NS);
        assertTrue(System.nanoTime() - start < PATIENCE_NS / 2, "slept on");
    }
}
