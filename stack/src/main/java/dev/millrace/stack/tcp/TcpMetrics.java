package dev.millrace.stack.tcp;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One connection's {@link TcpMetric}s at one moment; also a map from Linux' names to values, in the order of {@code struct tcp_info}, for readers
 * that do not know this class. Immutable.
 */
public final class TcpMetrics extends AbstractMap<String, Long> {
    private static final long UNKNOWN_MIN_RTT_US = 0xffff_ffffL;
    private static final long NO_THRESHOLD = 0x7fff_ffffL;

    private final long[] values = new long[TcpMetric.count()];

    private TcpMetrics() {}

    /**
     * Of a connection, now. Lease holder only.
     *
     * @param socket one that a {@link Tcp} has opened or accepted
     */
    public static TcpMetrics of(TcpSocket socket, long nowNs) {
        return of(((ConnectionSocket) socket).connection, nowNs);
    }

    static TcpMetrics of(TcpConnection connection, long nowNs) {
        TcpMetrics metrics = new TcpMetrics();
        RecoveryFigures recovery = connection.sender.recoveryFigures();
        for (int i = 0; i < metrics.values.length; i++) {
            metrics.values[i] = TcpMetric.at(i).read(connection, recovery, nowNs);
        }
        return metrics;
    }

    /** Of a socket without a connection: nothing but the state, as Linux tells it. */
    public static TcpMetrics of(TcpState state) {
        TcpMetrics metrics = new TcpMetrics();
        metrics.values[TcpMetric.STATE.ordinal()] = TcpMetric.linuxState(state);
        return metrics;
    }

    /** The value, in the metric's unit. */
    public long get(TcpMetric metric) {
        return values[metric.ordinal()];
    }

    // ---- as a map ----

    /** @param linuxName such as {@code tcpi_rtt} */
    @Override
    public @Nullable Long get(@Nullable Object linuxName) {
        TcpMetric metric = TcpMetric.named(linuxName);
        return metric == null ? null : get(metric);
    }

    @Override
    public boolean containsKey(@Nullable Object linuxName) {
        return TcpMetric.named(linuxName) != null;
    }

    @Override
    public Set<Map.Entry<String, Long>> entrySet() {
        return new Entries();
    }

    private final class Entries extends AbstractSet<Map.Entry<String, Long>> {
        @Override
        public int size() {
            return values.length;
        }

        @Override
        public Iterator<Map.Entry<String, Long>> iterator() {
            return new Iterator<>() {
                private int next;

                @Override
                public boolean hasNext() {
                    return next < values.length;
                }

                @Override
                public Map.Entry<String, Long> next() {
                    if (next == values.length) {
                        throw new NoSuchElementException();
                    }
                    TcpMetric metric = TcpMetric.at(next++);
                    return Map.entry(metric.linuxName(), get(metric));
                }
            };
        }
    }

    // ---- what takes more than a field ----

    static long optionBits(TcpConnection connection) {
        Receiver receiver = connection.receiver;
        return (receiver.timestamps.enabled ? 1 : 0)
                | (receiver.sackPermitted ? 1 << 1 : 0)
                | (receiver.scalingOffered ? 1 << 2 : 0)
                | (connection.ecn.agreed() ? 1 << 3 : 0)
                | (connection.ecn.seen() ? 1 << 4 : 0)
                | (connection.tally.synDataTaken ? 1 << 5 : 0);
    }

    /** Whole segments, as Linux counts windows. */
    static long segments(Sender sender, long bytes) {
        int mss = sender.segmentBytes();
        return mss == 0 ? 0 : bytes / mss;
    }

    static long threshold(Sender sender) {
        long bytes = sender.ssthreshBytes();
        return bytes >= Integer.MAX_VALUE ? NO_THRESHOLD : segments(sender, bytes);
    }

    static long minimumRttUs(RttEstimator rtt) {
        return rtt.hasSample() ? rtt.minimumRttNs() / 1_000 : UNKNOWN_MIN_RTT_US;
    }

    static long acknowledgedBytes(TcpConnection connection) {
        return Math.max(0, connection.sender.una) + (connection.tally.opened && connection.sender.una >= 0 ? 1 : 0);
    }
}
