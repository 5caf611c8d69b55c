package dev.millrace.compat.packetdrill;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Shell lines of scripts: nothing is executed. Those that set sysctls are understood, also in a shell script that lies beside the scripts; those
 * that only prepare a kernel or its network have nothing to do here; any other is unsupported. One thread.
 */
final class ShellCommands {
    /** How deep shell scripts may call one another. */
    private static final int MAX_DEPTH = 4;

    private static final int MAX_SCRIPT_BYTES = 64 << 10;

    private static final Pattern SCRIPT = Pattern.compile("([\\w./-]+\\.sh)");
    private static final Pattern SYSCTL = Pattern.compile("sysctl\\s+((-\\w+\\s+)*)(.+)");
    private static final Pattern ASSIGNMENT = Pattern.compile("([\\w./]+)=(\"[^\"]*\"|'[^']*'|\\S+)");
    private static final Pattern SET_SYSCTLS = Pattern.compile("(\\S*/)?set_sysctls\\.py\\s+(.+)");
    private static final Pattern PROC = Pattern.compile("/proc/sys/([\\w./]+)=(\"[^\"]*\"|'[^']*'|\\S+)");
    private static final Pattern ECHO = Pattern.compile("echo\\s+(\\S+)\\s*>\\s*/proc/sys/(\\S+)");
    private static final Pattern PRODUCT = Pattern.compile("\\$\\(\\(\\s*(\\d{1,9}(?:\\s*\\*\\s*\\d{1,9})*)\\s*\\)\\)");
    private static final Pattern COMMENT = Pattern.compile("(^|\\s)#.*");

    /**
     * Commands that concern a kernel, a device or a queue that there is not here: the queue is one that lets everything pass at once, and
     * nothing is offloaded. What set_sysctls.py wrote to restore a kernel's settings is not needed, as every script has settings of its own.
     */
    private static final Pattern NOTHING_TO_DO = Pattern.compile(
            "(tc\\s+qdisc\\s+(add|replace)\\s+dev\\s+\\S+\\s+root\\s+pfifo$|ethtool\\s+-K\\s+\\S+(\\s+(tso|gso)\\s+off)+|/tmp/sysctl_restore_\\S+|kldload.*|kldunload.*|sleep\\s.*|sync"
                    + "|true|modprobe.*|sysctl\\s+kern\\.timecounter\\..*|nstat)");

    /** Nothing is known of any server, as at the beginning. */
    private static final Pattern FLUSH_METRICS = Pattern.compile("ip\\s+tcp_metrics\\s+flush.*");

    /** Asks whether a counter has counted; the exit status tells. */
    private static final Pattern COUNTED = Pattern.compile("nstat\\s*\\|\\s*grep\\s+(\\w+)");

    private final Sysctls sysctls;
    private final Path directory;
    private final Kernel kernel;

    /** What the commands ask of the stack and tell it, as far as it runs. */
    interface Kernel {
        /**
         * Whether a counter, by Linux' name, has counted anything.
         *
         * @throws ScriptException it has not
         * @throws UnsupportedConstructException there is none of that name
         */
        void checkCounted(String name);

        void forgetServers();
    }

    /**
     * @param settings what the commands change
     * @param kernel what they ask
     */
    ShellCommands(Settings settings, Kernel kernel) {
        this.kernel = kernel;
        this.sysctls = new Sysctls(settings);
        this.directory = settings.directory;
    }

    static boolean isSysctl(String command) {
        return SYSCTL.matcher(command).matches();
    }

    /**
     * @param started the stack runs already, so its configuration is fixed
     * @throws UnsupportedConstructException naming the command
     */
    void run(String command, boolean started) {
        run(command, started, 0);
    }

    private void run(String command, boolean started, int depth) {
        for (String line : command.replaceAll("\\\\(\\n|$)", " ").split("\\n", -1)) {
            for (String each : COMMENT.matcher(line).replaceFirst("").split(";|&&", -1)) {
                String bare = each.replaceAll("\\s*(2?>\\s*/dev/null|2>&1)", "").strip();
                if (!bare.isEmpty()) {
                    runOne(bare, started, depth);
                }
            }
        }
    }

    private void runOne(String line, boolean started, int depth) {
        Matcher setSysctls = SET_SYSCTLS.matcher(line);
        Matcher sysctl = SYSCTL.matcher(line);
        Matcher echo = ECHO.matcher(line);
        Matcher counted = COUNTED.matcher(line);
        if (NOTHING_TO_DO.matcher(line).matches()) {
            return;
        }
        if (FLUSH_METRICS.matcher(line).matches()) {
            kernel.forgetServers();
            return;
        }
        if (counted.matches()) {
            kernel.checkCounted(counted.group(1));
            return;
        }
        if (SCRIPT.matcher(line).matches()) {
            script(line, started, depth + 1);
        } else if (setSysctls.matches()) {
            assignments(PROC.matcher(setSysctls.group(2)), started);
        } else if (sysctl.matches()) {
            assignments(ASSIGNMENT.matcher(withProducts(sysctl.group(3))), started);
        } else if (echo.matches()) {
            sysctls.assign(echo.group(2), echo.group(1), started);
        } else {
            throw new UnsupportedConstructException("`" + line + "`");
        }
    }

    /** What a shell script beside the scripts sets, such as the defaults that a set of scripts takes for granted. */
    private void script(String name, boolean started, int depth) {
        Path file = directory.resolve(name).normalize();
        if (depth > MAX_DEPTH || !Files.isRegularFile(file)) {
            throw new UnsupportedConstructException("`" + name + "`: there is no " + file
                    + "; put the shell script that belongs to these scripts there, its sysctls are read from it");
        }
        try {
            if (Files.size(file) > MAX_SCRIPT_BYTES) {
                throw new UnsupportedConstructException("`" + name + "`: of more than " + MAX_SCRIPT_BYTES + " bytes");
            }
            run(Files.readString(file, StandardCharsets.UTF_8), started, depth);
        } catch (IOException e) {
            throw new UnsupportedConstructException("`" + name + "`: " + file + " cannot be read: " + e);
        }
    }

    private void assignments(Matcher found, boolean started) {
        boolean any = false;
        while (found.find()) {
            any = true;
            sysctls.assign(found.group(1), found.group(2).replaceAll("[\"']", ""), started);
        }
        if (!any) {
            throw new UnsupportedConstructException("a sysctl line without an assignment");
        }
    }

    /** The shell's arithmetic, as far as it multiplies. */
    private static String withProducts(String line) {
        return PRODUCT.matcher(line).replaceAll(product -> {
            long value = 1;
            for (String factor : product.group(1).split("\\*", -1)) {
                value *= Long.parseLong(factor.strip());
            }
            return Long.toString(value);
        });
    }
}
