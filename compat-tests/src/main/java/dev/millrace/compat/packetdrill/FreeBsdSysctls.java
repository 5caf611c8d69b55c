package dev.millrace.compat.packetdrill;

import java.util.Map;
import java.util.Set;

/** What FreeBSD's sysctls, by their whole names, mean to the engine's configuration; tcp(4). One thread. */
final class FreeBsdSysctls {
    private static final long MS = 1_000_000L;

    /** Sysctls that are components of the engine's configuration, with the factor between the units. */
    private static final Map<String, Factor> COMPONENTS = Map.of(
            "net.inet.tcp.delacktime", new Factor("delayedAckNs", MS),
            "net.inet.tcp.msl", new Factor("timeWaitNs", 2 * MS),
            "net.inet.tcp.finwait2_timeout", new Factor("finWait2Ns", MS),
            "net.inet.tcp.ecn.maxretries", new Factor("ecnSynRetries", 1),
            "net.inet.tcp.maxtcptw", new Factor("maxTimeWait", 1));

    /** Sysctls whose values have names in the engine. */
    private static final Map<String, Choice> CHOICES = Map.of(
            "net.inet.tcp.sack.enable", new Choice("sack", Map.of("0", "false", "1", "true")),
            "net.inet.tcp.ecn.enable", new Choice("ecn", Map.of("0", "off", "1", "on", "2", "passive")),
            "net.inet.tcp.syncookies", new Choice("synCookies", Map.of("0", "off", "1", "on_overflow")),
            "net.inet.tcp.insecure_rst", new Choice("resetInWindow", Map.of("0", "false", "1", "true")),
            "net.inet.tcp.insecure_syn", new Choice("synInWindow", Map.of("0", "false", "1", "true")),
            "net.inet.tcp.drop_synfin", new Choice("synFinIsSyn", Map.of("0", "true", "1", "false")),
            "net.inet.tcp.syncookies_only", new Choice("synCookies", Map.of("0", "on_overflow", "1", "always")),
            "net.inet.tcp.cc.algorithm",
                    new Choice("congestionControl", Map.of("newreno", "newreno", "cubic", "cubic")));

    /** Values under which the engine behaves as FreeBSD does with them. */
    private static final Map<String, String> AS_IT_IS = Map.ofEntries(
            Map.entry("net.inet.tcp.initcwnd_segments", "10"),
            Map.entry("net.inet.tcp.delayed_ack", "1"),
            Map.entry("net.inet.tcp.rfc3042", "1"),
            Map.entry("net.inet.tcp.path_mtu_discovery", "1"),
            Map.entry("net.inet.tcp.blackhole", "0"),
            Map.entry("net.inet.tcp.rexmit_initial", "1000"),
            Map.entry("net.inet.tcp.rexmit_drop_options", "0"),
            Map.entry("net.inet.tcp.insecure_ack", "0"),
            Map.entry("net.inet.tcp.tolerate_missing_ts", "0"),
            Map.entry("net.inet.tcp.do_prr", "1"),
            Map.entry("net.inet.tcp.icmp_may_rst", "1"),
            Map.entry("net.inet.tcp.fast_finwait2_recycle", "0"),
            Map.entry("net.inet.tcp.nolocaltimewait", "0"),
            Map.entry("net.inet.tcp.functions_default", "freebsd"));

    /** Sysctls without a counterpart because nothing that a script sees depends on them here. */
    private static final Set<String> NEUTRAL = Set.of(
            "net.inet.tcp.hostcache.enable",
            "net.inet.tcp.hostcache.purgenow",
            "net.inet.tcp.ts_offset_per_conn",
            "net.inet.tcp.tso",
            "net.inet.tcp.log_debug",
            "net.inet.tcp.log_in_vain",
            "net.inet.tcp.sendbuf_auto",
            "net.inet.tcp.recvbuf_auto",
            "net.inet.icmp.icmplim");

    /** Sysctls that sockets opened from then on begin with, in milliseconds and probes. */
    private static final Set<String> OF_SOCKETS =
            Set.of("net.inet.tcp.keepidle", "net.inet.tcp.keepintvl", "net.inet.tcp.keepcnt");

    /** No buffer is larger, whatever is allowed. */
    private static final long MAX_BUFFER_BYTES = 1L << 30;

    private record Factor(String component, long factor) {}

    private record Choice(String component, Map<String, String> values) {}

    private final Settings settings;

    FreeBsdSysctls(Settings settings) {
        this.settings = settings;
    }

    static boolean owns(String path) {
        return path.startsWith("net.inet.") || path.startsWith("kern.ipc.");
    }

    /** Whether it may be set while the stack runs. */
    static boolean isNeutral(String path) {
        return NEUTRAL.contains(path) || AS_IT_IS.containsKey(path) || OF_SOCKETS.contains(path);
    }

    /** @throws UnsupportedConstructException the engine has no such setting, or not that value */
    void assign(String path, String value, String asked) {
        Factor factor = COMPONENTS.get(path);
        Choice choice = CHOICES.get(path);
        String named = choice == null ? null : choice.values().get(value);
        if (factor != null) {
            settings.tcp.set(factor.component(), times(factor.factor(), value), asked);
        } else if (choice != null && named != null) {
            settings.tcp.set(choice.component(), named, asked);
        } else if (!NEUTRAL.contains(path) && !value.equals(AS_IT_IS.get(path))) {
            assignOther(path, value, asked);
        }
    }

    private void assignOther(String path, String value, String asked) {
        switch (path) {
            case "kern.ipc.maxsockbuf" -> {
                String most = Long.toString(Math.min(whole(value), MAX_BUFFER_BYTES));
                settings.receiveBuffer(2, most);
                settings.sendBuffer(2, most);
            }
            case "net.inet.tcp.rexmit_slop" -> {
                settings.tcp.set("minRtoNs", times(MS, value), asked);
                settings.tcp.set("synSlopNs", times(MS, value), asked);
            }
            case "net.inet.tcp.keepidle" -> settings.socketDefaults.keepIdleSeconds = seconds(value);
            case "net.inet.tcp.keepintvl" -> settings.socketDefaults.keepIntervalSeconds = seconds(value);
            case "net.inet.tcp.keepcnt" -> settings.socketDefaults.keepCount = (int) whole(value);
            case "net.inet.tcp.recvbuf_max" -> settings.receiveBuffer(2, value);
            case "net.inet.tcp.sendbuf_max" -> settings.sendBuffer(2, value);
            // an engine's first buffer is half of what is told in Linux' terms
            case "net.inet.tcp.recvspace" -> settings.receiveBuffer(1, times(2, value));
            case "net.inet.tcp.sendspace" -> settings.sendBuffer(1, value);
            case "net.inet.tcp.rfc1323" -> {
                boolean timestamps = value.equals("1") || value.equals("3");
                boolean scaling = value.equals("1") || value.equals("2");
                settings.tcp.set("timestamps", Boolean.toString(timestamps), asked);
                settings.tcp.set("windowScaling", Boolean.toString(scaling), asked);
            }
            case "net.inet.tcp.fastopen.client_enable", "net.inet.tcp.fastopen.server_enable" ->
                fastOpen(path.contains("client"), value.equals("1"));
            default -> throw new UnsupportedConstructException(asked);
        }
    }

    private static int seconds(String ms) {
        return (int) (whole(ms) / 1000);
    }

    private static long whole(String value) {
        return Long.parseLong(times(1, value));
    }

    private static String times(long factor, String value) {
        try {
            return Long.toString(Math.multiplyExact(factor, Long.parseLong(value)));
        } catch (ArithmeticException | NumberFormatException e) {
            throw new ScriptException("'" + value + "': a whole number is needed");
        }
    }

    private void fastOpen(boolean client, boolean on) {
        if (client) {
            settings.fastOpenForClients = on;
        } else {
            settings.fastOpenForServers = on;
        }
    }
}
