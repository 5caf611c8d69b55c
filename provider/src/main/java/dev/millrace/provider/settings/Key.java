package dev.millrace.provider.settings;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The settings a user may write: the public contract. The same name serves as {@code millrace.<name>} system property, in the agent's
 * argument and in a {@code config} file.
 */
public enum Key {
    LINK(
            "link",
            "loop",
            "loop | tap:<interface> | dpdk:<device>",
            "where frames come from and go to; loop serves connections inside this JVM and needs no privilege"),
    ADDRESS(
            "address",
            "",
            "addresses with prefix length, separated by commas: 203.0.113.7/24,2001:db8::7/64",
            "own addresses on the link"),
    GATEWAY(
            "gateway",
            "",
            "at most one IPv4 and one IPv6 address, inside an address's prefix",
            "next hop for everything beyond the prefixes of address"),
    MTU(
            "mtu",
            "",
            "a number of bytes, 576 to 9216 (1280 or more with IPv6)",
            "largest IP packet; the link's own if not set"),
    TTL(
            "ttl",
            "",
            "1 to 255",
            "time to live and hop limit of what is sent; 64, or what a router advertises, if not set"),
    MAC("mac", "", "six bytes in hex, not multicast: 02:00:5e:00:53:07", "hardware address; the link's own if not set"),
    SHARDS("shards", "1", "1 to 64", "cores that share the work, each with a queue pair and connections of its own"),
    DRIVER(
            "driver",
            "inline",
            "inline | caretaker | dedicated | manual",
            "who runs the stack: whichever thread waits for I/O; a thread per shard that sleeps when idle; one that is pinned and"
                    + " never sleeps; or the program itself"),
    SPIN(
            "spin",
            "50",
            "a number of microseconds, 0 to 10000000, or forever",
            "how long a waiting thread polls the link before it sleeps"),
    CPUS(
            "cpus",
            "",
            "processor numbers, as many as shards: 2,3 or 4-7",
            "processors for the threads of driver=dedicated; unpinned if not set"),
    ROUTES(
            "routes",
            "",
            "a readable file of lines: bind|connect <address>[/<prefix>]|* <port>[-<port>|-*]|* [stack|kernel|both]",
            "which sockets go to the stack; by address if not set"),
    CAPTURE("capture", "", "a file that can be written", "every frame of the link, as pcapng"),
    IMPAIR(
            "impair",
            "",
            "loss=1%,reorder=2%,duplicate=1%,corrupt=1%,delay=20ms,pause=200ms,seed=7 (any of them)",
            "makes the link worse, for tests"),
    DPDK_ARGS("dpdk.args", "", "words separated by spaces", "appended to the arguments of DPDK's EAL"),
    MEMORY("memory", "512M", "a size from 4M to 1T: 512M, 2G", "send and receive buffer memory per shard, at most"),
    CONNECTIONS("connections", "1048576", "1 to 16777216", "connections per shard, at most"),
    CONGESTION(
            "congestion",
            "cubic",
            "cubic | newreno | dctcp | bbr",
            "congestion control of every connection; dctcp asks for ECN, and is for networks whose switches mark early"),
    ECN(
            "ecn",
            "passive",
            "off | passive | on",
            "explicit congestion notification: never, when the peer asks, or also asked for in our own SYNs"),
    MTUPROBING(
            "mtuprobing",
            "blackhole",
            "off | blackhole | on",
            "when TCP looks for the path's MTU without ICMP: never, once full segments time out repeatedly, or always"),
    FASTOPEN(
            "fastopen",
            "client",
            "off | client | server | on | connect | all",
            "data with the SYN (RFC 7413): client asks for cookies where a connect has data, server takes it, on is both; connect is client,"
                    + " and gives java.nio's connects data: they succeed at once, and the SYN leaves with the first write; all is connect"
                    + " and server. An application behind it may be told the same twice"),
    PACKETS("packets", "4096", "512 to 1048576", "packet buffers per queue pair"),
    DRAIN(
            "drain",
            "2000",
            "a number of milliseconds, 0 to 60000",
            "how long the end of the JVM waits for peers to acknowledge what was written"),
    REPORT(
            "report",
            "",
            "stderr, or a file that can be written",
            "counters, connections and routing decisions when the JVM ends"),
    ONFAILURE(
            "onfailure",
            "stop",
            "stop | kernel",
            "when Millrace cannot start: stop the JVM, or run everything on the kernel"),
    QUIET("quiet", "false", "true | false", "no start line"),
    CONFIG(
            "config",
            "",
            "a readable file of key=value lines, # begins a comment",
            "more settings; those given directly win");

    private final String text;
    private final String standard;
    private final String allowed;
    private final String meaning;

    Key(String text, String standard, String allowed, String meaning) {
        this.text = text;
        this.standard = standard;
        this.allowed = allowed;
        this.meaning = meaning;
    }

    /** As the user writes it. */
    public String text() {
        return text;
    }

    /** The value when none is given; empty for none. */
    public String standard() {
        return standard;
    }

    /** What may be written, for people. */
    public String allowed() {
        return allowed;
    }

    /** What it does, for people. */
    public String meaning() {
        return meaning;
    }

    public static Optional<Key> named(String text) {
        return Arrays.stream(values()).filter(key -> key.text.equals(text)).findFirst();
    }

    public static List<String> names() {
        return Arrays.stream(values()).map(Key::text).toList();
    }
}
