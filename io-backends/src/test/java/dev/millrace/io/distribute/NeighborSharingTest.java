package dev.millrace.io.distribute;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.io.PortDecorator;
import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.loop.LoopLinkFactory;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.wire.FlowSteering;
import dev.millrace.stack.wire.ToeplitzHash;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What the queues of one port show each other. Beneath is a loop of three queues, which as a network card puts a flow where its hash leads and a frame without
 * one on a single queue: the sender's.
 */
@Timeout(60)
class NeighborSharingTest {
    private static final int SHARDS = 3;
    private static final int PACKETS = 512;
    private static final int MTU = 1500;
    private static final int HERE = 0xc6120001;
    private static final int THERE = 0xc6120002;
    private static final int ICMPV6 = 58;
    private static final int ECHO_REQUEST = 128;
    private static final int NEIGHBOR_ADVERTISEMENT = 136;

    private final Packet[] burst = new Packet[PACKETS];
    private NeighborSharingPort port;

    @BeforeEach
    void open() throws Exception {
        Port loop = new LoopLinkFactory().open("", new LinkOptions(SHARDS, MTU, 0, PACKETS, List.of()));
        port = new NeighborSharingPort(loop);
    }

    @AfterEach
    void close() {
        port.close();
    }

    @Test
    void anArpFrameReachesEveryShardOnce() {
        arrive(0, arp());
        assertEveryShardGetsOnce(arp());
    }

    @Test
    void neighborDiscoveryReachesEveryShardOnce() {
        byte[] advertisement = ipv6(ICMPV6, NEIGHBOR_ADVERTISEMENT);
        arrive(0, advertisement);
        assertEveryShardGetsOnce(advertisement);
    }

    @Test
    void neighborDiscoveryBehindAnExtensionHeaderReachesEveryShardOnce() {
        byte[] frame = ipv6(0, ICMPV6); // hop-by-hop options of 8 bytes, next header ICMPv6
        frame[62] = (byte) NEIGHBOR_ADVERTISEMENT;
        arrive(0, frame);
        assertEveryShardGetsOnce(frame);
    }

    @Test
    void itDoesNotMatterWhichQueueTheDeviceChose() {
        for (int queue = 0; queue < SHARDS; queue++) {
            arrive(queue, arp());
            assertEveryShardGetsOnce(queue, arp());
        }
    }

    @Test
    void aTcpSegmentStaysOnTheQueueOfItsFlow() {
        for (int sourcePort = 1024; sourcePort < 1124; sourcePort++) {
            int owner = FlowSteering.shardOfHash(ToeplitzHash.v4(THERE, HERE, sourcePort, 80), SHARDS);
            arrive(0, tcp(sourcePort));
            assertOnlyReceiver(owner);
        }
    }

    @Test
    void whatResolvesNoAddressStaysWhereTheDevicePutIt() {
        byte[] other = arp();
        other[13] = 9;
        byte[] tooShortForIpv6 = Arrays.copyOf(ipv6(ICMPV6, NEIGHBOR_ADVERTISEMENT), 53);
        for (byte[] frame : List.of(ipv6(ICMPV6, ECHO_REQUEST), ipv4(1), other, tooShortForIpv6, new byte[13])) {
            arrive(0, frame);
            assertOnlyReceiver(0);
        }
    }

    @Test
    void copiesGoHomeHoweverManyAreMade() {
        for (int i = 0; i < 20 * NeighborSharingPort.WAITING * SHARDS; i++) {
            arrive(0, arp());
            assertEveryShardGetsOnce(arp());
        }
        assertEquals(0, port.copiesAbroad(0));
        assertEquals(0, port.statistics().rxDropped());
    }

    @Test
    void aSlowShardLosesItsOwnCopiesOnly() {
        int frames = 3 * NeighborSharingPort.WAITING;
        for (int i = 0; i < frames; i++) {
            arrive(0, arp());
            assertEquals(1, drain(0));
            assertEquals(1, drain(1));
        }
        assertEquals(frames - NeighborSharingPort.WAITING, port.statistics().rxDropped());
        assertEquals(NeighborSharingPort.WAITING, port.copiesAbroad(0));
        assertEquals(NeighborSharingPort.WAITING, drain(2));
        assertEquals(0, port.copiesAbroad(0));
    }

    @Test
    void aFrameLargerThanTheLinksIsNotShared() throws Exception {
        try (Port wide = new LoopLinkFactory().open("", new LinkOptions(2, 9000, 0, PACKETS, List.of()));
                NeighborSharingPort narrow = new NeighborSharingPort(new NarrowPort(wide))) {
            assertTrue(new PortPeer(narrow, 0).offer(Arrays.copyOf(arp(), 9000)));
            assertEquals(1, narrow.rx(0).receive(burst, 1));
            assertEquals(9000, burst[0].length);
            narrow.rx(0).release(burst, 1);
            assertEquals(0, narrow.rx(1).receive(burst, 1));
            assertEquals(1, narrow.statistics().rxDropped());
            assertEquals(0, narrow.copiesAbroad(0));
        }
    }

    @Test
    void copiesAndFlowsTakeTurns() {
        int sourcePort = portOfShard(1);
        for (int i = 0; i < 8; i++) {
            arrive(0, arp());
            assertEquals(1, drain(0));
            arrive(0, tcp(sourcePort));
        }
        for (int i = 0; i < 16; i++) {
            assertEquals(1, port.rx(1).receive(burst, 1));
            assertEquals(i % 2 == 0 ? 0x0806 : 0x0800, Memory.getUnsignedShort(burst[0].address + 12), "burst " + i);
            port.rx(1).release(burst, 1);
        }
        assertEquals(0, drain(1));
    }

    @Test
    void aBurstIsEitherCopiesOrFrames() {
        arrive(0, arp());
        assertEquals(1, drain(0));
        arrive(0, tcp(portOfShard(1)));
        assertEquals(1, drain(1));
        assertEquals(1, port.copiesAbroad(0), "that of the third shard");
        assertEquals(1, drain(1));
        assertEquals(1, port.copiesAbroad(0));
    }

    @Test
    void aCopyEndsTheSleep() throws Exception {
        int frames = 2000;
        Thread device = Thread.ofPlatform().start(() -> {
            Packet[] mine = new Packet[1];
            PortPeer peer = new PortPeer(port, 0);
            for (int i = 0; i < frames; i++) {
                assertTrue(peer.offer(arp()));
                while (port.copiesAbroad(0) == NeighborSharingPort.WAITING) {
                    Thread.onSpinWait();
                }
                assertEquals(1, port.rx(0).receive(mine, 1));
                port.rx(0).release(mine, 1);
                assertEquals(1, port.rx(2).receive(mine, 1));
                port.rx(2).release(mine, 1);
            }
        });
        long start = System.nanoTime();
        Packet[] mine = new Packet[16];
        int received = 0;
        while (received < frames) {
            int count = port.rx(1).receive(mine, mine.length);
            port.rx(1).release(mine, count);
            received += count;
            if (count == 0) {
                port.rx(1).await(TimeUnit.SECONDS.toNanos(20));
            }
            assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(15), "a sleep ended by its timeout");
        }
        device.join();
        assertEquals(0, port.copiesAbroad(0));
    }

    @Test
    void aPortWithOneQueueHasNobodyToShareWith() throws Exception {
        try (Port loop = new LoopLinkFactory().open("", new LinkOptions(1, MTU, 0, PACKETS, List.of()))) {
            assertThrows(IllegalArgumentException.class, () -> new NeighborSharingPort(loop));
        }
    }

    // ---- steps ----

    private void arrive(int queue, byte[] frame) {
        assertTrue(new PortPeer(port, queue).offer(frame), "the loop is full");
    }

    private void assertEveryShardGetsOnce(byte[] frame) {
        assertEveryShardGetsOnce(0, frame);
    }

    /** The queue of arrival goes first: the others have their copies from it. */
    private void assertEveryShardGetsOnce(int queue, byte[] frame) {
        for (int i = 0; i < SHARDS; i++) {
            int shard = (queue + i) % SHARDS;
            assertEquals(1, port.rx(shard).receive(burst, burst.length), "shard " + shard);
            byte[] received = new byte[burst[0].length];
            Memory.copy(burst[0].address, received, 0, received.length);
            port.rx(shard).release(burst, 1);
            assertArrayEquals(frame, received);
        }
        assertOnlyReceiver(-1);
    }

    private void assertOnlyReceiver(int owner) {
        for (int round = 0; round < 2; round++) {
            for (int shard = 0; shard < SHARDS; shard++) {
                assertEquals(round == 0 && shard == owner ? 1 : 0, drain(shard), "shard " + shard);
            }
        }
    }

    private int drain(int shard) {
        int count = port.rx(shard).receive(burst, burst.length);
        port.rx(shard).release(burst, count);
        return count;
    }

    // ---- frames ----

    private static int portOfShard(int shard) {
        int candidate = 1024;
        while (FlowSteering.shardOfHash(ToeplitzHash.v4(THERE, HERE, candidate, 80), SHARDS) != shard) {
            candidate++;
        }
        return candidate;
    }

    private static byte[] arp() {
        byte[] frame = new byte[60];
        Arrays.fill(frame, 0, 6, (byte) 0xff);
        frame[6] = 2;
        frame[12] = 8;
        frame[13] = 6;
        return frame;
    }

    private static byte[] tcp(int sourcePort) {
        byte[] frame = ipv4(6);
        putInt(frame, 26, THERE);
        putInt(frame, 30, HERE);
        putInt(frame, 34, sourcePort << 16 | 80);
        return frame;
    }

    private static byte[] ipv4(int protocol) {
        byte[] frame = new byte[60];
        frame[0] = 2;
        frame[6] = 2;
        frame[12] = 8;
        frame[14] = 0x45;
        frame[23] = (byte) protocol;
        return frame;
    }

    /** An IPv6 packet with one more header, whose first byte is {@code firstByte}. */
    private static byte[] ipv6(int nextHeader, int firstByte) {
        byte[] frame = new byte[86];
        frame[0] = 2;
        frame[6] = 2;
        frame[12] = (byte) 0x86;
        frame[13] = (byte) 0xdd;
        frame[14] = 0x60;
        frame[20] = (byte) nextHeader;
        frame[54] = (byte) firstByte;
        return frame;
    }

    private static void putInt(byte[] bytes, int at, int value) {
        for (int i = 0; i < 4; i++) {
            bytes[at + i] = (byte) (value >>> 24 - 8 * i);
        }
    }

    /** A port that claims Ethernet's MTU and passes on whatever comes, as shared-memory devices do. */
    private static final class NarrowPort extends PortDecorator {
        NarrowPort(Port inner) {
            super(inner);
        }

        @Override
        public int mtu() {
            return MTU;
        }

        @Override
        protected void closeOwn() {}
    }
}
