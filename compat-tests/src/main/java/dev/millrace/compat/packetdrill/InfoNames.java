package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.TcpInfo;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** The names that assertions use for what {@link TcpInfo} tells, in the units of Linux' {@code struct tcp_info}. Stateless. */
final class InfoNames {
    /** What Linux tells for a threshold that was never set. */
    private static final long INFINITE_SSTHRESH = 0x7fff_ffffL;

    private static final Map<String, ToLongFunction<TcpInfo>> NAMES = Map.ofEntries(
            Map.entry("tcpi_state", info -> Constants.of(stateName(info))),
            Map.entry("tcpi_rto", info -> info.rtoNs() / 1000),
            Map.entry("tcpi_rtt", info -> info.roundTripNs() / 1000),
            Map.entry("tcpi_rttvar", info -> info.roundTripVariationNs() / 1000),
            Map.entry("tcpi_snd_mss", info -> (long) info.segmentBytes()),
            Map.entry("tcpi_snd_cwnd", info -> segments(info, info.cwndBytes())),
            Map.entry("tcpi_snd_ssthresh", InfoNames::ssthresh),
            Map.entry("tcpi_unacked", info -> segments(info, info.sentBytes() - info.acknowledgedBytes())),
            Map.entry(
                    "tcpi_notsent_bytes",
                    info -> info.unacknowledgedBytes() - (info.sentBytes() - info.acknowledgedBytes())),
            Map.entry("tcpi_backoff", info -> (long) info.timeouts()),
            Map.entry("tcpi_retransmits", info -> (long) info.timeouts()),
            Map.entry("tcpi_snd_wnd", TcpInfo::sendWindowBytes),
            Map.entry("tcpi_bytes_acked", TcpInfo::acknowledgedBytes),
            Map.entry("tcpi_bytes_received", TcpInfo::receivedBytes),
            Map.entry("tcpi_bytes_sent", TcpInfo::sentBytes));

    private InfoNames() {}

    /** The value, or null when no field has that name. */
    static @Nullable Long value(TcpInfo info, String name) {
        ToLongFunction<TcpInfo> field = NAMES.get(name);
        return field == null ? null : field.applyAsLong(info);
    }

    private static long segments(TcpInfo info, long bytes) {
        return info.segmentBytes() == 0 ? 0 : (bytes + info.segmentBytes() - 1) / info.segmentBytes();
    }

    private static long ssthresh(TcpInfo info) {
        return info.ssthreshBytes() >= Integer.MAX_VALUE ? INFINITE_SSTHRESH : segments(info, info.ssthreshBytes());
    }

    private static String stateName(TcpInfo info) {
        return switch (info.state()) {
            case SYN_RECEIVED -> "TCP_SYN_RECV";
            case FIN_WAIT_1 -> "TCP_FIN_WAIT1";
            case FIN_WAIT_2 -> "TCP_FIN_WAIT2";
            case CLOSED -> "TCP_CLOSE";
            default -> "TCP_" + info.state().name();
        };
    }
}
