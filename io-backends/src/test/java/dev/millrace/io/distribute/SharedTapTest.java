package dev.millrace.io.distribute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.io.contract.Lab;
import dev.millrace.io.contract.PacketSocketPeer;
import dev.millrace.io.tap.TapLinkFactory;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.wire.FlowSteering;
import dev.millrace.stack.wire.ToeplitzHash;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Three shards, each with a thread that receives, answers and sleeps, on one tap. */
@Timeout(60)
class SharedTapTest {
    private static final int SHARDS = 3;
    private static final int FRAMES = 3000;
    private static final int WINDOW = 16;
    private static final int HERE = 0xc6120001;
    private static final int THERE = 0xc6120002;

    private final AtomicInteger[] seen = {new AtomicInteger(), new AtomicInteger(), new AtomicInteger()};
    private final ConcurrentLinkedQueue<String> mistakes = new ConcurrentLinkedQueue<>();
    private volatile boolean over;

    @Test
    void everyShardGetsItsFlowsAndAddressResolutionAndCanAnswer() throws Exception {
        Lab.assumeRoot();
        Lab.inNewNamespace(() -> {
            Port tap = new TapLinkFactory().open("millio7", new LinkOptions(1, 0, 0, 512, List.of()));
            try (Port port = new DistributingPort(tap, SHARDS, 512);
                    PacketSocketPeer peer = new PacketSocketPeer("millio7")) {
                Thread[] cores = new Thread[SHARDS];
                for (int i = 0; i < SHARDS; i++) {
                    int shard = i;
                    cores[i] = Thread.ofPlatform().start(() -> serve(port, shard));
                }
                exchange(peer);
                over = true;
                for (int i = 0; i < SHARDS; i++) {
                    port.rx(i).wake();
                    cores[i].join();
                }
            }
            return true;
        });
        assertEquals(List.of(), List.copyOf(mistakes));
        for (AtomicInteger shard : seen) {
            assertTrue(shard.get() > FRAMES / SHARDS / 2, "a shard saw only " + shard + " frames");
        }
    }

    /** Sends flows and now and then an ARP request; every frame is echoed by each shard that got it. */
    private static void exchange(PacketSocketPeer peer) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
        int expected = 0;
        int echoed = 0;
        for (int i = 0; i < FRAMES; i++) {
            boolean arp = i % 50 == 0;
            while (!peer.offer(arp ? arp() : tcp(1024 + i))) {
                Thread.onSpinWait();
            }
            expected += arp ? SHARDS : 1;
            while (expected - echoed > WINDOW || i == FRAMES - 1 && echoed < expected) {
                byte[] frame = peer.poll();
                echoed += frame != null && (frame[12] == 8 && (frame[13] == 0 || frame[13] == 6)) ? 1 : 0;
                assertTrue(System.nanoTime() < deadline, echoed + " of " + expected + " echoes");
            }
        }
        assertEquals(expected, echoed);
    }

    private void serve(Port port, int shard) {
        Packet[] burst = new Packet[32];
        while (!over) {
            int count = port.rx(shard).receive(burst, burst.length);
            for (int i = 0; i < count; i++) {
                check(burst[i], shard);
                echo(port, shard, burst[i]);
            }
            port.rx(shard).release(burst, count);
            if (count == 0) {
                port.rx(shard).await(TimeUnit.SECONDS.toNanos(100));
            }
        }
    }

    private void check(Packet frame, int shard) {
        if (Memory.getUnsignedShort(frame.address + 12) != 0x0800) {
            return;
        }
        seen[shard].incrementAndGet();
        int sourcePort = Memory.getUnsignedShort(frame.address + 34);
        int owner = FlowSteering.shardOfHash(ToeplitzHash.v4(THERE, HERE, sourcePort, 80), SHARDS);
        if (owner != shard) {
            mistakes.add("port " + sourcePort + " at shard " + shard + " instead of " + owner);
        }
    }

    private static void echo(Port port, int shard, Packet frame) {
        Packet answer = port.tx(shard).allocate();
        while (answer == null) {
            answer = port.tx(shard).allocate();
        }
        Memory.copy(frame.address, answer.address, frame.length);
        answer.length = frame.length;
        Packet[] one = {answer};
        while (port.tx(shard).transmit(one, 1) == 0) {
            Thread.onSpinWait();
        }
    }

    private static byte[] tcp(int sourcePort) {
        byte[] frame = new byte[60];
        frame[0] = 2;
        frame[6] = 2;
        frame[12] = 8;
        frame[14] = 0x45;
        frame[23] = 6;
        putInt(frame, 26, THERE);
        putInt(frame, 30, HERE);
        putInt(frame, 34, sourcePort << 16 | 80);
        return frame;
    }

    private static byte[] arp() {
        byte[] frame = new byte[60];
        Arrays.fill(frame, 0, 6, (byte) 0xff);
        frame[6] = 2;
        frame[12] = 8;
        frame[13] = 6;
        return frame;
    }

    private static void putInt(byte[] bytes, int at, int value) {
        for (int i = 0; i < 4; i++) {
            bytes[at + i] = (byte) (value >>> 24 - 8 * i);
        }
    }
}
