package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.CongestionAlgorithm;
import java.util.HashMap;
import java.util.Map;

/**
 * What a sysctl is in the engine's configuration: a component of it, a value under which the engine behaves as Linux does, nothing (because
 * nothing depends on it here), or unsupported. One thread.
 */
final class Sysctls {
    private static final long MS = 1_000_000L;

    /** Sysctls without a counterpart because nothing depends on them here: segmentation offload, queues below, bookkeeping. */
    private static final String NEUTRAL =
            " tcp_min_tso_segs tcp_tso_win_divisor tcp_tso_rtt_log tcp_limit_output_bytes tcp_autocorking tcp_no_metrics_save tcp_mem "
                    + "tcp_available_congestion_control tcp_allowed_congestion_control tcp_max_orphans default_qdisc optmem_max "
                    + "netdev_max_backlog tcp_low_latency ";

    /** Values under which the engine behaves as Linux does with them; any other is unsupported. */
    private static final Map<String, String> AS_IT_IS = Map.ofEntries(
            Map.entry("tcp_dsack", "1"),
            Map.entry("tcp_moderate_rcvbuf", "1"),
            Map.entry("tcp_reflect_tos", "0"),
            Map.entry("tcp_stdurg", "0"),
            Map.entry("tcp_fack", "0 1"),
            Map.entry("tcp_early_retrans", "3 4"),
            Map.entry("tcp_recovery", "1"),
            Map.entry("tcp_frto", "1 2"),
            Map.entry("tcp_reordering", "3"),
            Map.entry("tcp_max_reordering", "300"),
            Map.entry("tcp_retrans_collapse", "0"),
            Map.entry("tcp_abort_on_overflow", "0"),
            Map.entry("tcp_rfc1337", "1"),
            Map.entry("tcp_thin_linear_timeouts", "0"),
            Map.entry("tcp_thin_dupack", "0"),
            Map.entry("tcp_workaround_signed_windows", "0"),
            Map.entry("tcp_shrink_window", "0"),
            Map.entry("tcp_tw_reuse", "0 1 2"),
            Map.entry("ip_no_pmtu_disc", "0"),
            Map.entry("tcp_timestamps", "1 2"),
            Map.entry("tcp_sack", "1"),
            Map.entry("tcp_window_scaling", "1"),
            Map.entry("tcp_syncookies", "1"),
            Map.entry("tcp_syn_linear_timeouts", "0"),
            Map.entry("tcp_ecn", "0 2"),
            Map.entry("tcp_ecn_fallback", "1"),
            Map.entry("tcp_mtu_probing", "0"),
            Map.entry("tcp_pacing_ss_ratio", "200"),
            Map.entry("tcp_pacing_ca_ratio", "120"),
            Map.entry("tcp_slow_start_after_idle", "1"));

    /** Sysctls that are components of the engine's configuration, with the factor between the units. */
    private static final Map<String, Component> COMPONENTS = Map.ofEntries(
            Map.entry("tcp_syn_retries", new Component("synRetries", 1)),
            Map.entry("tcp_synack_retries", new Component("synAckRetries", 1)),
            Map.entry("tcp_retries2", new Component("retries", 1)),
            Map.entry("tcp_fastopen_blackhole_timeout_sec", new Component("blackHolePauseNs", 1000 * MS)),
            Map.entry("tcp_fin_timeout", new Component("finWait2Ns", 1000 * MS)),
            Map.entry("tcp_tw_reuse_delay", new Component("timeWaitReuseNs", MS)),
            Map.entry("tcp_rto_min_us", new Component("minRtoNs", 1000)),
            Map.entry("tcp_max_tw_buckets", new Component("maxTimeWait", 1)),
            Map.entry("tcp_max_syn_backlog", new Component("maxHalfOpenPerListener", 1)));

    /** Sysctls whose values have names in the engine. */
    private static final Map<String, Choice> CHOICES = Map.of(
            "tcp_ecn", new Choice("ecn", Map.of("0", "off", "1", "on", "2", "passive")),
            "tcp_mtu_probing", new Choice("mtuProbing", Map.of("0", "off", "1", "blackhole", "2", "on")),
            "tcp_syncookies", new Choice("synCookies", Map.of("0", "off", "1", "on_overflow", "2", "always")),
            "tcp_sack", new Choice("sack", Map.of("0", "false", "1", "true")),
            "tcp_timestamps", new Choice("timestamps", Map.of("0", "false", "1", "true", "2", "true")),
            "tcp_window_scaling", new Choice("windowScaling", Map.of("0", "false", "1", "true")),
            "tcp_slow_start_after_idle", new Choice("slowStartAfterIdle", Map.of("0", "false", "1", "true")));

    /**
     * Sysctls that may change while the stack runs: Linux reads them when it needs them, and so does the engine. Others are read when a socket or a table is made;
     * of those the congestion control can be told a socket by itself.
     */
    private static final String READ_ON_USE =
            " tcp_syn_retries tcp_synack_retries tcp_retries2 tcp_orphan_retries tcp_fin_timeout "
                    + "tcp_max_syn_backlog tcp_syncookies tcp_fastopen tcp_fastopen_key tcp_fastopen_blackhole_timeout_sec tcp_ecn tcp_sack "
                    + "tcp_timestamps tcp_window_scaling tcp_slow_start_after_idle tcp_mtu_probing tcp_notsent_lowat tcp_congestion_control "
                    + "tcp_tw_reuse_delay ";

    private record Component(String name, long factor) {}

    private record Choice(String component, Map<String, String> values) {}

    private static final int FAST_OPEN_FOR_CLIENTS = 0x1;
    private static final int FAST_OPEN_FOR_SERVERS = 0x2;
    private static final int FAST_OPEN_WITHOUT_COOKIE = 0x4;
    private static final int FAST_OPEN_COOKIE_NOT_ASKED = 0x200;
    private static final int FAST_OPEN_AT_EVERY_LISTENER = 0x400;

    private final Settings settings;
    private final FreeBsdSysctls freeBsd;
    private final Map<String, String> set = new HashMap<>();

    Sysctls(Settings settings) {
        this.settings = settings;
        this.freeBsd = new FreeBsdSysctls(settings);
    }

    /**
     * @param path as sysctl or below /proc/sys, with points or slashes
     * @param started the stack runs already, so that not all of its configuration can be changed
     * @throws UnsupportedConstructException the engine has no such setting, or not that value
     */
    void assign(String path, String value, boolean started) {
        String dotted = path.replace('/', '.');
        String name = dotted.substring(dotted.lastIndexOf('.') + 1);
        String asked = "sysctl " + (FreeBsdSysctls.owns(dotted) ? dotted : name) + "=" + value;
        boolean neutral = NEUTRAL.contains(" " + name + " ") || dotted.startsWith("net.mptcp.");
        if (value.equals(set.put(dotted, value)) || neutral) {
            return;
        }
        if (started && !isReadOnUse(name) && !FreeBsdSysctls.isNeutral(dotted)) {
            throw new UnsupportedConstructException(asked + " after the first socket");
        }
        if (FreeBsdSysctls.owns(dotted)) {
            freeBsd.assign(dotted, value, asked);
            return;
        }
        switch (name) {
            case "tcp_rmem" -> settings.receiveBuffers(value);
            case "tcp_wmem" -> settings.sendBuffers(value);
            case "tcp_congestion_control" ->
                congestionControl(value.equals("reno") ? "newreno" : value, started, asked);
            case "tcp_fastopen" -> fastOpen(value);
            case "tcp_fastopen_key" -> fastOpenKey(value, asked);
            case "tcp_notsent_lowat" -> settings.tcp.set("notSentLowBytes", unsentLimit(number(value)), asked);
            case "tcp_orphan_retries" -> settings.tcp.set("orphanRetries", value.equals("0") ? "8" : value, asked);
            default -> assignComponent(name, value, asked);
        }
    }

    /** A value that would mean another behaviour than the engine's only is settled here; it changes nothing in a running stack. */
    private static boolean isReadOnUse(String name) {
        return READ_ON_USE.contains(" " + name + " ") || AS_IT_IS.containsKey(name) && !CHOICES.containsKey(name);
    }

    /** A socket has the one that was the system's when it was made. */
    private void congestionControl(String name, boolean started, String asked) {
        if (!started) {
            settings.tcp.set("congestionControl", name, asked);
            return;
        }
        CongestionAlgorithm algorithm = OptionCalls.algorithm(name);
        if (algorithm == CongestionAlgorithm.DCTCP) {
            throw new UnsupportedConstructException(asked + " after the first socket");
        }
        settings.socketDefaults.congestionControl = algorithm;
    }

    /** Linux has an unsigned number, whose largest is no limit. */
    private static String unsentLimit(long bytes) {
        return Long.toString(bytes < 0 ? Integer.MAX_VALUE : Math.min(bytes, Integer.MAX_VALUE));
    }

    private void assignComponent(String name, String value, String asked) {
        Component component = COMPONENTS.get(name);
        if (component != null) {
            settings.tcp.set(component.name(), Long.toString(number(value) * component.factor()), asked);
            return;
        }
        Choice choice = CHOICES.get(name);
        String named = choice == null ? null : choice.values().get(value);
        if (choice != null && named != null && settings.tcp.has(choice.component())) {
            settings.tcp.set(choice.component(), named, asked);
        } else if (!(" " + AS_IT_IS.getOrDefault(name, "") + " ").contains(" " + value + " ")) {
            throw new UnsupportedConstructException(asked);
        }
    }

    /** The bits of tcp_fastopen (Linux, ip-sysctl.rst); those above the options' have no meaning. */
    private void fastOpen(String value) {
        long bits = number(value);
        settings.fastOpenForClients = (bits & FAST_OPEN_FOR_CLIENTS) != 0;
        settings.fastOpenForServers = (bits & FAST_OPEN_FOR_SERVERS) != 0;
        settings.fastOpenWithoutCookieForClients = (bits & FAST_OPEN_WITHOUT_COOKIE) != 0;
        settings.fastOpenWithoutCookieForServers = (bits & FAST_OPEN_COOKIE_NOT_ASKED) != 0;
        settings.fastOpenAtEveryListener = (bits & FAST_OPEN_AT_EVERY_LISTENER) != 0;
    }

    /** Four 32-bit words in hexadecimal; the engine's halves have the first of two in the lower bits. */
    private void fastOpenKey(String value, String asked) {
        String[] words = value.split("-", -1);
        if (words.length != 4) {
            throw new UnsupportedConstructException(asked);
        }
        for (int i = 0; i < 2; i++) {
            long half = Long.parseLong(words[2 * i], 16) | Long.parseLong(words[2 * i + 1], 16) << 32;
            settings.tcp.set("key" + i, Long.toString(half), asked);
        }
    }

    private static long number(String value) {
        try {
            return Long.decode(value);
        } catch (NumberFormatException e) {
            throw new ScriptException("'" + value + "': a whole number is needed");
        }
    }
}
