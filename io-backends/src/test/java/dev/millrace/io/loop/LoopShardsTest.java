package dev.millrace.io.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.wire.FlowSteering;
import dev.millrace.stack.wire.ToeplitzHash;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A loop between several cores: who receives what, and how packets find their way home. */
@Timeout(60)
class LoopShardsTest {
    private static final int PACKETS = 128;
    private static final int SHARDS = 3;
    private static final int HERE = 0x7f000001;

    private final Packet[] one = new Packet[1];
    private final Packet[] burst = new Packet[PACKETS];
    private Port port;

    @BeforeEach
    void open() throws Exception {
        port = new LoopLinkFactory().open("", new LinkOptions(SHARDS, 1500, 0, PACKETS, List.of()));
    }

    @AfterEach
    void close() {
        port.close();
    }

    @Test
    void aFrameReachesTheShardOfItsFlow() {
        for (int sourcePort = 1000; sourcePort < 1100; sourcePort++) {
            int expected = FlowSteering.shardOfHash(ToeplitzHash.v4(HERE, HERE, sourcePort, 80), SHARDS);
            assertTrue(send(0, sourcePort));
            for (int shard = 0; shard < SHARDS; shard++) {
                assertEquals(shard == expected ? 1 : 0, drain(shard), "shard " + shard + ", port " + sourcePort);
            }
        }
    }

    @Test
    void packetsReleasedElsewhereReturnToTheirOwner() {
        int foreign = portOfShard(1);
        for (int i = 0; i < 10 * PACKETS; i++) {
            assertTrue(send(0, foreign), "shard 0 has run out of packets after " + i);
            assertEquals(1, drain(1));
        }
    }

    @Test
    void aSlowReceiverPushesBackAndLosesNothing() {
        int foreign = portOfShard(2);
        int sent = 0;
        for (int shard = 0; shard < 2; shard++) {
            while (send(shard, foreign)) {
                sent++;
            }
        }
        assertTrue(sent >= PACKETS, "only " + sent);
        int received = 0;
        for (int count = drain(2); count > 0; count = drain(2)) {
            received += count;
        }
        assertEquals(sent, received);
        assertTrue(send(0, foreign));
    }

    @Test
    void aFrameOfAnotherShardWakesTheSleeper() throws Exception {
        int foreign = portOfShard(1);
        Thread sender = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < 1000; i++) {
                while (!send(0, foreign)) {
                    Thread.onSpinWait();
                }
            }
        });
        long start = System.nanoTime();
        Packet[] mine = new Packet[16];
        int received = 0;
        while (received < 1000) {
            int count = port.rx(1).receive(mine, mine.length);
            port.rx(1).release(mine, count);
            received += count;
            if (count == 0) {
                port.rx(1).await(TimeUnit.SECONDS.toNanos(20));
            }
        }
        sender.join();
        assertFalse(System.nanoTime() - start > TimeUnit.SECONDS.toNanos(10), "a sleep ended by its timeout");
    }

    private int portOfShard(int shard) {
        int candidate = 1024;
        while (FlowSteering.shardOfHash(ToeplitzHash.v4(HERE, HERE, candidate, 80), SHARDS) != shard) {
            candidate++;
        }
        return candidate;
    }

    private boolean send(int shard, int sourcePort) {
        TxQueue tx = port.tx(shard);
        Packet packet = tx.allocate();
        if (packet == null) {
            return false;
        }
        assertNotNull(packet);
        packet.length = 54;
        Memory.zero(packet.address, 54);
        Memory.putShort(packet.address + 12, 0x0800);
        long ip = packet.address + 14;
        Memory.putByte(ip, 0x45);
        Memory.putByte(ip + 9, 6);
        Memory.putInt(ip + 12, HERE);
        Memory.putInt(ip + 16, HERE);
        Memory.putShort(ip + 20, sourcePort);
        Memory.putShort(ip + 22, 80);
        one[0] = packet;
        if (tx.transmit(one, 1) == 1) {
            return true;
        }
        tx.release(packet);
        return false;
    }

    private int drain(int shard) {
        int count = port.rx(shard).receive(burst, burst.length);
        port.rx(shard).release(burst, count);
        return count;
    }
}
