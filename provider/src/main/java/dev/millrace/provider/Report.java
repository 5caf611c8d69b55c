package dev.millrace.provider;

import dev.millrace.provider.settings.Settings;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.tcp.TcpInfo;
import dev.millrace.stack.tcp.TcpMetric;
import dev.millrace.stack.wire.IpAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What the setting {@code report} writes when the JVM ends: what a bypassed socket hides from {@code ss} and {@code nstat}. */
final class Report {
    /** Rows of the connection table, at most. */
    private static final int CONNECTIONS = 1000;

    private static final String STDERR = "stderr";

    private Report() {}

    /** Refuses a file that cannot be written while there is still somebody to read the refusal. */
    static void check(Settings settings) throws IOException {
        if (!settings.report().isEmpty() && !settings.report().equals(STDERR)) {
            try {
                Files.writeString(Path.of(settings.report()), "");
            } catch (IOException e) {
                throw settings.rejectReport(e);
            }
        }
    }

    /** Writes what the setting asks for. The caller has taken every core for good. */
    static void write(Runtime runtime) {
        String target = runtime.settings().report();
        if (target.isEmpty()) {
            return;
        }
        List<String> lines = lines(runtime);
        if (target.equals(STDERR)) {
            lines.forEach(System.err::println);
            return;
        }
        try {
            Files.write(Path.of(target), lines, StandardCharsets.UTF_8);
        } catch (IOException e) {
            System.err.println("millrace: report=" + target + ": could not be written: " + e);
        }
    }

    private static List<String> connections(Runtime runtime) {
        List<String> lines = new ArrayList<>();
        for (int shard = 0; shard < runtime.stack().shards(); shard++) {
            for (TcpInfo row : runtime.stack().core(shard).connections()) {
                if (lines.size() == CONNECTIONS) {
                    lines.add("…");
                    return lines;
                }
                lines.add(String.format(
                        "%-11s %s -> %s shard %d, %d unread, %d unacknowledged, sent %d (%d again), received %d, rtt %.3f ms, cwnd %d",
                        row.state(),
                        endpoint(row.localAddress(), row.localPort()),
                        endpoint(row.remoteAddress(), row.remotePort()),
                        row.shard(),
                        row.unreadBytes(),
                        row.unacknowledgedBytes(),
                        row.metrics().get(TcpMetric.BYTES_SENT),
                        row.metrics().get(TcpMetric.BYTES_RETRANS),
                        row.metrics().get(TcpMetric.BYTES_RECEIVED),
                        row.metrics().get(TcpMetric.RTT) / 1e3,
                        row.metrics().get(TcpMetric.SND_CWND)));
            }
        }
        return lines;
    }

    private static String endpoint(IpAddress address, int port) {
        return address.isV4() ? address + ":" + port : "[" + address + "]:" + port;
    }

    /** The caller has taken every core. */
    private static List<String> lines(Runtime runtime) {
        List<String> lines = new ArrayList<>();
        lines.add("millrace: sockets");
        runtime.journal().lines().forEach(line -> lines.add("  " + line));
        lines.add("millrace: connections");
        connections(runtime).forEach(line -> lines.add("  " + line));
        lines.add("millrace: counters");
        for (Counter counter : Counter.values()) {
            long sum = 0;
            for (int shard = 0; shard < runtime.stack().shards(); shard++) {
                sum += runtime.stack().core(shard).counters().get(counter);
            }
            if (sum != 0) {
                lines.add(String.format("  %-34s %,15d  %s", counter, sum, counter.meaning()));
            }
        }
        PortStatistics lost = runtime.link().statistics();
        lines.add("millrace: lost outside the stack: " + lost.rxDropped() + " received frames dropped, "
                + lost.rxErrors() + " refused, " + lost.txDropped() + " sent frames dropped");
        return lines;
    }
}
