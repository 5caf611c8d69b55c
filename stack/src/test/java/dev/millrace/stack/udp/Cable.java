package dev.millrace.stack.udp;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.PacketPool;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.wire.FlowSteering;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A cable with a port at each end, whose frames a test may look at, lose, and add to. */
final class Cable implements AutoCloseable {
    static final int MTU = 1500;

    final End a;
    final End b;
    private final Arena arena = Arena.ofShared();

    Cable(int queuesA, int queuesB) {
        a = new End(0x02_00_00_00_0a_01L, queuesA);
        b = new End(0x02_00_00_00_0b_01L, queuesB);
        a.other = b;
        b.other = a;
    }

    @Override
    public void close() {
        a.close();
        b.close();
        arena.close();
    }

    final class End implements Port {
        private final long mac;
        private final Queue[] queues;

        @Nullable
        End other;

        /** Frames that this end has sent. */
        final List<byte[]> sent = new ArrayList<>();

        /** Which of them arrive. */
        Predicate<byte[]> arrives = frame -> true;

        End(long mac, int count) {
            this.mac = mac;
            this.queues = new Queue[count];
            for (int i = 0; i < count; i++) {
                queues[i] = new Queue(this);
            }
        }

        /** A frame arrives here, whoever sent it. */
        void arrives(byte[] frame) {
            long copy = arena.allocate(frame.length).address();
            Memory.copy(frame, 0, copy, frame.length);
            int shard = FlowSteering.shardOf(copy, frame.length, queues.length);
            for (int i = 0; i < queues.length; i++) {
                if (shard == i || shard == FlowSteering.EVERY_SHARD) {
                    queues[i].arrived.add(frame);
                }
            }
        }

        /** Packets that a queue may still give. */
        void packets(int queue, int count) {
            queues[queue].packets = count;
        }

        @Override
        public String name() {
            return "cable";
        }

        @Override
        public long mac() {
            return mac;
        }

        @Override
        public int mtu() {
            return MTU;
        }

        @Override
        public PortCapabilities capabilities() {
            return PortCapabilities.NONE;
        }

        @Override
        public int queues() {
            return queues.length;
        }

        @Override
        public RxQueue rx(int queue) {
            return queues[queue];
        }

        @Override
        public TxQueue tx(int queue) {
            return queues[queue];
        }

        @Override
        public boolean linkUp() {
            return true;
        }

        @Override
        public PortStatistics statistics() {
            return PortStatistics.NONE;
        }

        @Override
        public void close() {
            for (Queue queue : queues) {
                queue.pool.close();
            }
        }
    }

    private static final class Queue implements RxQueue, TxQueue {
        final End end;
        final ArrayDeque<byte[]> arrived = new ArrayDeque<>();
        final PacketPool pool = new PacketPool(4096, HEADROOM + 14 + MTU, 0);
        int packets = Integer.MAX_VALUE;

        Queue(End end) {
            this.end = end;
        }

        @Override
        public int receive(Packet[] into, int max) {
            int count = 0;
            while (count < max && !arrived.isEmpty()) {
                byte[] frame = arrived.remove();
                Packet packet = pool.take(HEADROOM);
                if (packet == null) {
                    throw new AssertionError("packets were not given back");
                }
                Memory.copy(frame, 0, packet.address, frame.length);
                packet.length = frame.length;
                into[count++] = packet;
            }
            return count;
        }

        @Override
        public void release(Packet[] taken, int count) {
            for (int i = 0; i < count; i++) {
                pool.give(taken[i]);
            }
        }

        @Override
        public void await(long timeoutNs) {}

        @Override
        public void wake() {}

        @Override
        public @Nullable Packet allocate() {
            if (packets == 0) {
                return null;
            }
            packets--;
            return pool.take(HEADROOM);
        }

        @Override
        public int transmit(Packet[] leaving, int count) {
            for (int i = 0; i < count; i++) {
                byte[] frame = new byte[leaving[i].length];
                Memory.copy(leaving[i].address, frame, 0, frame.length);
                pool.give(leaving[i]);
                end.sent.add(frame);
                End other = end.other;
                if (other != null && end.arrives.test(frame)) {
                    other.arrives(frame);
                }
            }
            return count;
        }

        @Override
        public void release(Packet packet) {
            pool.give(packet);
        }
    }
}
