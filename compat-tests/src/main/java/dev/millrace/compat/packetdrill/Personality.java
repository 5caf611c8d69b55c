package dev.millrace.compat.packetdrill;

import java.util.Map;

/** Whose behaviour the scripts' dialect takes for granted where an engine's choice shows on the wire. */
enum Personality {
    /** Google's net/tcp and the kernel's own scripts: small first segments are acknowledged at once, too. */
    LINUX("4096 131072 6291456", "4096 16384 4194304", "cubic", "all", true, true, "0"),
    /**
     * FreeBSD's tcp-testsuite: windows of 65535 scaled by 6 from a 2 MiB limit, no acknowledgment at once but of the second segment, Fast Open
     * off, options of a SYN in the order MSS, window scale, SACK, timestamps. Buffers of sockets are told as they were asked for, a connection's
     * receive buffer in whole segments; sending to an address connects; servers that refuse Fast Open are not asked again for 15 minutes; what else is different, the
     * engine's Quirks say.
     */
    FREEBSD("4096 131072 2097152", "4096 65536 2097152", "newreno", "none", false, false, "900000000000");

    /** What {@code #ifdef} finds defined in a script: the system's name. */
    String symbol() {
        return this == LINUX ? "Linux" : "FreeBSD";
    }

    /** Components of the engine's Quirks, with their values where they are not Linux'. */
    Map<String, String> quirks() {
        return this == LINUX
                ? Map.of()
                : Map.of(
                        "timeWaitAnswersAll", "false",
                        "windowIsBuffer", "true",
                        "synFinIsSyn", "true",
                        "synTextKept", "true",
                        "refusedByFilter", "true",
                        "synSlopNs", "200000000",
                        "ecnSynRetries", "1");
    }

    /** Smallest, first and largest receive and send buffer, as Linux' sysctls write them. */
    final String receiveBuffers;

    final String sendBuffers;
    final String congestionControl;
    /** A constant of the engine's QuickAck. */
    final String quickAck;

    final boolean fastOpenForClients;
    /** The engine writes options in the order of Linux; of others which there are is compared, and not their order and padding. */
    final boolean optionsInOurOrder;

    /** Of a server that takes no data with a SYN; net.inet.tcp.fastopen.path_disable_time. */
    final String refusalPauseNs;

    /** @throws ScriptException there is none of that name */
    static Personality of(String name) {
        for (Personality each : values()) {
            if (each.name().equalsIgnoreCase(name)) {
                return each;
            }
        }
        throw new ScriptException("personality " + name + ": there are linux and freebsd");
    }

    Personality(
            String receiveBuffers,
            String sendBuffers,
            String congestionControl,
            String quickAck,
            boolean fastOpenForClients,
            boolean optionsInOurOrder,
            String refusalPauseNs) {
        this.receiveBuffers = receiveBuffers;
        this.sendBuffers = sendBuffers;
        this.congestionControl = congestionControl;
        this.quickAck = quickAck;
        this.fastOpenForClients = fastOpenForClients;
        this.optionsInOurOrder = optionsInOurOrder;
        this.refusalPauseNs = refusalPauseNs;
    }
}
