package dev.millrace.compat.lab;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** One network namespace of a {@link Lab}: its interfaces, its addresses, and processes that run inside it. */
public final class Namespace {
    private static final Duration CONFIGURE = Duration.ofSeconds(20);

    private final Lab lab;
    private final String name;

    Namespace(Lab lab, String name) {
        this.lab = lab;
        this.name = name;
    }

    public String name() {
        return name;
    }

    /** {@code ip} in this namespace. */
    public void ip(String... arguments) {
        List<String> words = new ArrayList<>(List.of("ip", "-n", name));
        words.addAll(List.of(arguments));
        Command.succeed(CONFIGURE, words);
    }

    /** Gives an interface, which must exist, an address with its prefix length, at once usable, and sets it up. */
    public void address(String device, String cidr) {
        if (cidr.contains(":")) {
            // Without duplicate address detection, which would hold the address back for a second.
            ip("addr", "add", cidr, "dev", device, "nodad");
        } else {
            ip("addr", "add", cidr, "dev", device);
        }
        ip("link", "set", device, "up");
    }

    /**
     * Has connections to the network of {@code cidr}, an address that {@code device} has been given, use this congestion control. By route, because a namespace's own
     * default may only be one that the machine allows to everybody.
     */
    public void congestionControl(String device, String cidr, String name) {
        int slash = cidr.indexOf('/');
        boolean v6 = cidr.contains(":");
        String network = v6
                ? cidr.substring(0, cidr.lastIndexOf(':') + 1) + cidr.substring(slash)
                : cidr.substring(0, cidr.lastIndexOf('.')) + ".0" + cidr.substring(slash);
        // metric 1 goes before the kernel's own route of metric 256; IPv4's has none, and is replaced
        ip("route", "replace", network, "dev", device, "metric", v6 ? "1" : "0", "congctl", name);
    }

    /**
     * Lets the kernel finish checksums and segments in software before a frame leaves through {@code device}: whoever reads the other
     * end of a veth by packet socket or AF_XDP would otherwise see frames that no wire ever carried.
     */
    public void turnOffOffloads(String device) {
        succeed("ethtool", "-K", device, "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off");
    }

    /** Keeps the kernel itself silent on a device that a userspace stack has to itself. */
    public void leaveToUserspace(String device) {
        succeed("sysctl", "-qw", "net.ipv6.conf." + device + ".disable_ipv6=1");
        ip("link", "set", device, "up");
    }

    /** Runs a short command in this namespace; throws unless it succeeds. Returns its output. */
    public String succeed(String... words) {
        return Command.succeed(CONFIGURE, inside(List.of(words)));
    }

    /** As {@link #succeed}, for a command that may take long. */
    public String succeed(Duration limit, List<String> words) {
        return Command.succeed(limit, inside(words));
    }

    /** Runs a command in this namespace, whatever its exit code. */
    public Command.Result run(Duration limit, List<String> words) {
        return Command.run(limit, inside(words));
    }

    /** Runs a command in this namespace and returns the SHA-256 of its output. */
    public String digest(Duration limit, List<String> words) {
        return Command.digest(limit, inside(words));
    }

    /** Starts a process in this namespace; it ends with the lab at the latest. */
    public RunningProcess start(String processName, List<String> words) {
        return lab.start(processName, inside(words));
    }

    private List<String> inside(List<String> words) {
        List<String> whole = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + name));
        whole.addAll(words);
        return whole;
    }
}
