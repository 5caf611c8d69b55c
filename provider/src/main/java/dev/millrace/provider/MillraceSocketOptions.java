package dev.millrace.provider;

import java.net.SocketOption;
import java.util.Map;

/**
 * Socket options that the JDK does not have. Channels that are on the kernel do not support them: {@code supportedOptions()} says so
 * once {@code bind} or {@code connect} has decided.
 */
public final class MillraceSocketOptions {
    /**
     * What the stack knows of a {@code SocketChannel}'s connection, as {@code getsockopt(TCP_INFO)} on Linux: a map from the names of
     * {@code struct tcp_info}, {@code tcpi_state} to {@code tcpi_total_rto}, to values in the kernel's units (times µs or ms, windows of congestion
     * control in segments, everything else bytes or counts; {@code dev.millrace.stack.tcp.TcpMetric} documents each). All values are
     * of one moment; the map is immutable and prints as {@code {tcpi_state=1, tcpi_ca_state=0, …}}.
     *
     * <p>Read-only: setting it is a {@link java.net.SocketException}. Of a channel without a connection there is the state alone (7, closed). Any
     * thread may ask; the connection's core answers in its next turn, microseconds later, so it is not for every message. Code that
     * must compile without Millrace finds the option by its name, {@code TCP_INFO}, among {@code supportedOptions()}.
     */
    public static final SocketOption<Map<String, Long>> TCP_INFO = new TcpInfoOption();

    private MillraceSocketOptions() {}

    private static final class TcpInfoOption implements SocketOption<Map<String, Long>> {
        @Override
        public String name() {
            return "TCP_INFO";
        }

        @Override
        @SuppressWarnings("unchecked") // there is no class of Map<String, Long> but that of Map
        public Class<Map<String, Long>> type() {
            return (Class<Map<String, Long>>) (Class<?>) Map.class;
        }

        @Override
        public String toString() {
            return name();
        }
    }
}
