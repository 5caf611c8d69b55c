package dev.millrace.stack.udp;

import dev.millrace.stack.port.MemoryPort;
import dev.millrace.stack.port.PortCapabilities;
import java.util.List;
import java.util.function.Predicate;

/** A cable with a port at each end, whose frames a test may look at, lose, and add to. */
final class Cable implements AutoCloseable {
    static final int MTU = 1500;

    final End a;
    final End b;

    Cable(int queuesA, int queuesB) {
        a = new End(0x02_00_00_00_0a_01L, queuesA);
        b = new End(0x02_00_00_00_0b_01L, queuesB);
        a.other = b;
        b.other = a;
    }

    @Override
    public void close() {
        a.port.close();
        b.port.close();
    }

    static final class End {
        final MemoryPort port;

        /** Frames that this end has sent. */
        final List<byte[]> sent;

        /** Which of them arrive. */
        Predicate<byte[]> arrives = frame -> true;

        private End other = this;

        private End(long mac, int queues) {
            port = new MemoryPort(mac, MTU, queues, PortCapabilities.NONE, (frame, flags) -> onSent(frame));
            sent = port.sent;
        }

        private void onSent(byte[] frame) {
            if (arrives.test(frame)) {
                other.arrives(frame);
            }
        }

        /** A frame arrives here, whoever sent it. */
        void arrives(byte[] frame) {
            port.arrives(frame);
        }

        /** Packets that a queue may still give. */
        void packets(int queue, int count) {
            port.queue(queue).packetsLeft = count;
        }
    }
}
