package dev.millrace.compat.packetdrill;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Shell lines of scripts: nothing is executed. Those that set sysctls which the engine has in its configuration change that; those that only
 * prepare a kernel or its network have nothing to do here; any other is unsupported. One thread.
 */
final class ShellCommands {
    private static final long MS = 1_000_000L;

    /** Where a script that lies beside the scripts sets what is needed for them; its known content is applied. */
    private static final Pattern DEFAULTS = Pattern.compile("(\\S*/)?defaults\\.sh");

    private static final Pattern SYSCTL = Pattern.compile("sysctl\\s+((-\\w+\\s+)*)(.+)");
    private static final Pattern ASSIGNMENT = Pattern.compile("([\\w./]+)=(\"[^\"]*\"|'[^']*'|\\S+)");
    private static final Pattern SET_SYSCTLS = Pattern.compile("(\\S*/)?set_sysctls\\.py\\s+(.+)");
    private static final Pattern PROC = Pattern.compile("/proc/sys/([\\w./]+)=(\"[^\"]*\"|'[^']*'|\\S+)");
    private static final Pattern ECHO = Pattern.compile("echo\\s+(\\S+)\\s*>\\s*/proc/sys/(\\S+)");

    /** Commands that concern a kernel, a device or a queue that there is not here. */
    private static final Pattern NOTHING_TO_DO = Pattern.compile(
            "(tc\\s+qdisc|ip\\s+tcp_metrics\\s+flush|ethtool\\s+-K|kldload|kldunload|sleep\\s|true$|modprobe|sysctl\\s+kern\\.timecounter\\.|nstat)"
                    + ".*",
            Pattern.DOTALL);

    /** Sysctls without a counterpart because nothing depends on them here: segmentation offload, queues below, bookkeeping. */
    private static final String NEUTRAL =
            " tcp_min_tso_segs tcp_tso_win_divisor tcp_tso_rtt_log tcp_limit_output_bytes tcp_autocorking tcp_no_metrics_save tcp_mem "
                    + "tcp_available_congestion_control tcp_allowed_congestion_control tcp_max_orphans default_qdisc optmem_max tcp_fastopen_key "
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
            Map.entry("tcp_notsent_lowat", "4294967295 -1"),
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
            Map.entry("tcp_fastopen_blackhole_timeout_sec", "3600"),
            Map.entry("tcp_mtu_probing", "0"),
            Map.entry("tcp_slow_start_after_idle", "1"));

    /** Sysctls that are components of the engine's configuration, with the factor between the units. */
    private static final Map<String, Component> COMPONENTS = Map.ofEntries(
            Map.entry("tcp_syn_retries", new Component("synRetries", 1)),
            Map.entry("tcp_synack_retries", new Component("synAckRetries", 1)),
            Map.entry("tcp_retries2", new Component("retries", 1)),
            Map.entry("tcp_fin_timeout", new Component("finWait2Ns", 1000 * MS)),
            Map.entry("tcp_rto_min_us", new Component("minRtoNs", 1000)),
            Map.entry("tcp_max_tw_buckets", new Component("maxTimeWait", 1)),
            Map.entry("tcp_max_syn_backlog", new Component("maxHalfOpenPerListener", 1)));

    /** Sysctls whose values have names in the engine. */
    private static final Map<String, Choice> CHOICES = Map.of(
            "tcp_fastopen",
                    new Choice(
                            "fastOpen",
                            Map.of(
                                    "0", "off", "1", "client", "2", "server", "3", "on", "0x1", "client", "0x2",
                                    "server", "0x3", "on")),
            "tcp_ecn", new Choice("ecn", Map.of("0", "off", "1", "on", "2", "passive")),
            "tcp_mtu_probing", new Choice("mtuProbing", Map.of("0", "off", "1", "blackhole", "2", "on")),
            "tcp_syncookies", new Choice("synCookies", Map.of("0", "off", "1", "on_overflow", "2", "always")),
            "tcp_sack", new Choice("sack", Map.of("0", "false", "1", "true")),
            "tcp_timestamps", new Choice("timestamps", Map.of("0", "false", "1", "true", "2", "true")),
            "tcp_window_scaling", new Choice("windowScaling", Map.of("0", "false", "1", "true")),
            "tcp_slow_start_after_idle", new Choice("slowStartAfterIdle", Map.of("0", "false", "1", "true")));

    private record Component(String name, long factor) {}

    private record Choice(String component, Map<String, String> values) {}

    private final Settings settings;
    private final FreeBsdSysctls freeBsd;
    private final Map<String, String> set = new HashMap<>();

    ShellCommands(Settings settings) {
        this.settings = settings;
        this.freeBsd = new FreeBsdSysctls(settings);
    }

    /**
     * @param started the stack runs already, so its configuration is fixed
     * @throws UnsupportedConstructException naming the command
     */
    void run(String command, boolean started) {
        for (String line : command.split("[\\n;]|&&", -1)) {
            String each = line.strip().replaceAll("\\s*(2?>\\s*/dev/null|2>&1)", "");
            if (!each.isEmpty() && !each.startsWith("#")) {
                runOne(each, started);
            }
        }
    }

    private void runOne(String line, boolean started) {
        Matcher setSysctls = SET_SYSCTLS.matcher(line);
        Matcher sysctl = SYSCTL.matcher(line);
        Matcher echo = ECHO.matcher(line);
        if (DEFAULTS.matcher(line).matches()) {
            defaults();
        } else if (NOTHING_TO_DO.matcher(line).matches()) {
            return;
        } else if (setSysctls.matches()) {
            assignments(PROC.matcher(setSysctls.group(2)), started);
        } else if (sysctl.matches()) {
            assignments(ASSIGNMENT.matcher(sysctl.group(3)), started);
        } else if (echo.matches()) {
            assign(echo.group(2), echo.group(1), started);
        } else {
            throw new UnsupportedConstructException("`" + line + "`");
        }
    }

    private void assignments(Matcher found, boolean started) {
        boolean any = false;
        while (found.find()) {
            any = true;
            assign(found.group(1), found.group(2).replaceAll("[\"']", ""), started);
        }
        if (!any) {
            throw new UnsupportedConstructException("a sysctl line without an assignment");
        }
    }

    /** What the scripts' authors run before each: production values for what shows on the wire. */
    private void defaults() {
        settings.receiveBuffers("4096 540000 15728640");
        settings.sendBuffers("4096 262144 4194304");
        assign("net.ipv4.tcp_congestion_control", "cubic", false);
        assign("net.ipv4.tcp_slow_start_after_idle", "0", false);
        assign("net.ipv4.tcp_ecn", "0", false);
    }

    private void assign(String path, String value, boolean started) {
        String name = path.substring(Math.max(path.lastIndexOf('.'), path.lastIndexOf('/')) + 1);
        String asked = "sysctl " + name + "=" + value;
        if (value.equals(set.put(path, value)) || NEUTRAL.contains(" " + name + " ")) {
            return;
        }
        if (started && !FreeBsdSysctls.isNeutral(path)) {
            throw new UnsupportedConstructException(asked + " after the first socket");
        }
        if (FreeBsdSysctls.owns(path)) {
            freeBsd.assign(path, value, asked);
            return;
        }
        switch (name) {
            case "tcp_rmem" -> settings.receiveBuffers(value);
            case "tcp_wmem" -> settings.sendBuffers(value);
            case "tcp_congestion_control" ->
                settings.tcp.set("congestionControl", value.equals("reno") ? "newreno" : value, asked);
            case "tcp_orphan_retries" -> settings.tcp.set("orphanRetries", value.equals("0") ? "8" : value, asked);
            default -> assignComponent(name, value, asked);
        }
    }

    private void assignComponent(String name, String value, String asked) {
        Component component = COMPONENTS.get(name);
        if (component != null) {
            settings.tcp.set(component.name(), Long.toString(Long.parseLong(value) * component.factor()), asked);
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
}
