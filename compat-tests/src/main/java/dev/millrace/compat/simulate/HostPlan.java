package dev.millrace.compat.simulate;

import dev.millrace.stack.core.StackConfig;
import dev.millrace.stack.tcp.TcpOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What a host is like.
 *
 * @param shards of its stack
 * @param mtu of its card
 * @param packets of each of the card's pools: few make output wait
 * @param framesPerCall that its card takes at a time: few make frames queue in the stack
 * @param turnGapNs least time between two turns: a long one makes large bursts
 * @param acceptRestNs least time between two rounds of accepting: a long one overflows backlogs
 * @param listeners on ports from {@link #FIRST_PORT} on, in both families
 * @param bufferBytes limit of its stack's buffer memory
 * @param initialBufferBytes of a fresh connection
 * @param maxBufferBytes limit of auto-tuning, both ways
 * @param minRtoNs lower bound of its retransmission timeout
 * @param tcp what its TCP makes use of
 */
record HostPlan(
        int shards,
        int mtu,
        int packets,
        int framesPerCall,
        long turnGapNs,
        long acceptRestNs,
        List<Listener> listeners,
        long bufferBytes,
        int initialBufferBytes,
        int maxBufferBytes,
        long minRtoNs,
        TcpPlan tcp) {

    static final int FIRST_PORT = 80;
    static final int LISTENERS = 3;
    private static final int LONG_BACKLOG = 64;

    /** With less, the larger talks would take hours. */
    private static final int LEAST_BUFFER_BYTES = 2_000;

    private static final long US = 1_000L;
    private static final long MS = 1_000_000L;

    /** An endpoint that the host listens on. */
    record Listener(int backlog, TcpOptions options) {
        boolean isShort() {
            return backlog < LONG_BACKLOG;
        }

        @Override
        public String toString() {
            return "backlog " + backlog;
        }
    }

    static HostPlan draw(SplittableRandom random) {
        List<Listener> listeners = new ArrayList<>();
        for (int i = 0; i < LISTENERS; i++) {
            TcpOptions options = Talk.options(random);
            if (options.receiveBufferBytes > 0) {
                options.receiveBufferBytes += LEAST_BUFFER_BYTES;
            }
            if (options.sendBufferBytes > 0) {
                options.sendBufferBytes += LEAST_BUFFER_BYTES;
            }
            listeners.add(new Listener(random.nextInt(3) == 0 ? random.nextInt(3) : LONG_BACKLOG, options));
        }
        return new HostPlan(
                random.nextInt(4) == 0 ? 2 : 1,
                random.nextInt(3) > 0 ? 1500 : 1280 + random.nextInt(300),
                random.nextInt(5) == 0 ? 16 + random.nextInt(64) : 2048,
                random.nextInt(5) == 0 ? 1 + random.nextInt(8) : Integer.MAX_VALUE,
                US << random.nextInt(11),
                random.nextInt(4) > 0 ? 0 : random.nextLong(3_000 * MS),
                listeners,
                (random.nextInt(6) == 0 ? 1L : 16L) << 20,
                random.nextInt(3) > 0 ? 128 << 10 : 1 << 12 + random.nextInt(5),
                random.nextInt(3) > 0 ? 4 << 20 : 1 << 16 + random.nextInt(6),
                random.nextInt(3) > 0 ? 200 * MS : (1 + random.nextInt(100)) * MS,
                TcpPlan.draw(random));
    }

    StackConfig apply(StackConfig usual) {
        return usual.withLimits(bufferBytes, 1 << 12)
                .withBuffers(initialBufferBytes, maxBufferBytes, maxBufferBytes, minRtoNs)
                .withTuning(tcp::apply);
    }
}
