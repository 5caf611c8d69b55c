package dev.millrace.compat.packetdrill;

import dev.millrace.stack.core.StackConfig;
import dev.millrace.stack.tcp.TcpConfig;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.wire.IpAddress;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a script's option lines, the command line and shell lines that come before the first socket say about the stack and its network.
 * One thread.
 */
final class Settings {
    private static final int DEFAULT_TOLERANCE_US = 4000;

    /** An address mode: what is on the wire, and what the sockets are. */
    enum IpVersion {
        IPV4,
        IPV6,
        IPV4_MAPPED_IPV6
    }

    final Personality personality;
    final TcpOverrides tcp = new TcpOverrides();
    /** What a socket's options are at first. */
    final TcpOptions socketDefaults = new TcpOptions();

    IpVersion ipVersion = IpVersion.IPV4;
    long toleranceNs = DEFAULT_TOLERANCE_US * 1000L;
    /** Length of a tick of the stack's timestamps that expected values are compared by; 0: they are not compared. */
    long timestampTickNs;

    /** What {@code TFO_COOKIE} stands for once the stack has given a cookie out. */
    byte @Nullable [] stackCookie;

    /** Where the script lies; the shell scripts that it names are looked for from there. */
    Path directory = Path.of("").toAbsolutePath();

    /** Who uses Fast Open; may change while the script runs, so the stack itself is open for both. */
    boolean fastOpenForClients;

    boolean fastOpenForServers;

    boolean fastOpenWithoutCookieForClients;

    boolean fastOpenWithoutCookieForServers;

    /** Every listener takes data with the SYN, without TCP_FASTOPEN. */
    boolean fastOpenAtEveryListener;

    int bindPort = 8080;
    int connectPort = 8080;

    private int mtu = 1500;
    private final Map<String, String> addresses = new HashMap<>();
    private String receiveBuffers;
    private String sendBuffers;

    Settings(Personality personality) {
        this.personality = personality;
        this.receiveBuffers = personality.receiveBuffers;
        this.sendBuffers = personality.sendBuffers;
        tcp.set("quickAck", personality.quickAck, "quick ACKs");
        tcp.set("fastOpen", "on", "Fast Open");
        fastOpenForClients = personality.fastOpenForClients;
        tcp.set("congestionControl", personality.congestionControl, "congestion control");
        tcp.set("refusalPauseNs", personality.refusalPauseNs, "Fast Open's negative answers");
        personality.quirks().forEach((quirk, value) -> tcp.set(quirk, value, quirk));
    }

    /**
     * An option line or an argument {@code --name=value}.
     *
     * @param name with underscores
     */
    void option(String name, String value) {
        switch (name) {
            case "ip_version" ->
                ipVersion = switch (value) {
                    case "ipv4" -> IpVersion.IPV4;
                    case "ipv6" -> IpVersion.IPV6;
                    case "ipv4-mapped-ipv6" -> IpVersion.IPV4_MAPPED_IPV6;
                    default -> throw new UnsupportedConstructException("--ip_version=" + value);
                };
            case "tolerance_usecs" -> toleranceNs = number(name, value) * 1000L;
            // a share of the time since the event before; time is exact here, so that the tolerance above is enough
            case "tolerance_percent" -> number(name, value);
            case "tcp_ts_tick_usecs" -> timestampTickNs = number(name, value) * 1000L;
            case "mtu" -> mtu = number(name, value);
            case "bind_port" -> bindPort = number(name, value);
            case "connect_port" -> connectPort = number(name, value);
            case "local_ip", "remote_ip" -> addresses.put(name, value);
            // the network around the stack is made here, and time is virtual
            case "personality" -> {} // taken when these settings were made
            case "define" -> {} // taken when the script was read
            case "gateway_ip", "netmask_ip", "speed", "send_omit_free", "verbose", "non_fatal", "init_scripts" -> {}
            case "mss" -> throw new UnsupportedConstructException("--mss: segments that an interface has joined (GRO)");
            default -> throw new UnsupportedConstructException("--" + name);
        }
    }

    private static int number(String name, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new ScriptException("--" + name + "=" + value + ": a whole number is needed");
        }
    }

    /** {@code net.ipv4.tcp_rmem} and {@code tcp_wmem}: smallest, first, largest. */
    void receiveBuffers(String three) {
        receiveBuffers = three;
    }

    void sendBuffers(String three) {
        sendBuffers = three;
    }

    /** One of the three sizes: 0 smallest, 1 first, 2 largest. */
    void receiveBuffer(int index, String size) {
        receiveBuffers = replaced(receiveBuffers, index, size);
    }

    void sendBuffer(int index, String size) {
        sendBuffers = replaced(sendBuffers, index, size);
    }

    private static String replaced(String three, int index, String size) {
        String[] parts = three.strip().split("\\s+", -1);
        parts[index] = size;
        return String.join(" ", parts);
    }

    /** Retransmissions of a SYN. */
    int synRetries() {
        String set = tcp.get("synRetries");
        return set.isEmpty() ? TcpConfig.of(0).synRetries() : Integer.parseInt(set);
    }

    /** What payload a socket's receive buffer has room for at first. */
    int receiveSpaceBytes() {
        return part(receiveBuffers, 1) / 2;
    }

    int mtu() {
        return mtu;
    }

    boolean v6OnTheWire() {
        return ipVersion == IpVersion.IPV6;
    }

    IpAddress local() {
        return address("local_ip", v6OnTheWire() ? "fd3d:fa7b:d17d::1" : "192.168.0.1");
    }

    IpAddress remote() {
        return address("remote_ip", v6OnTheWire() ? "2001:db8::1" : "192.0.2.1");
    }

    private IpAddress address(String option, String otherwise) {
        return parse(addresses.getOrDefault(option, otherwise));
    }

    static IpAddress parse(String literal) {
        try {
            return IpAddress.of(InetAddress.ofLiteral(literal).getAddress());
        } catch (IllegalArgumentException e) {
            throw new ScriptException("'" + literal + "' is no address");
        }
    }

    StackConfig stackConfig() {
        IpAddress own = local();
        StackConfig.Interface address = new StackConfig.Interface(own, v6OnTheWire() ? 64 : 16);
        IpAddress gateway = parse(v6OnTheWire() ? "fd3d:fa7b:d17d::ffff" : "192.168.255.254");
        return StackConfig.of(List.of(address), List.of(gateway), mtu).withTuning(this::tuned);
    }

    private TcpConfig tuned(TcpConfig config) {
        // of a buffer Linux gives half to payload (tcp_adv_win_scale), the rest to bookkeeping that this stack does not
        // need
        tcp.set("initialBufferBytes", Integer.toString(receiveSpaceBytes()), "tcp_rmem");
        tcp.set("maxReceiveBufferBytes", Integer.toString(part(receiveBuffers, 2)), "tcp_rmem");
        tcp.set("maxSendBufferBytes", Integer.toString(part(sendBuffers, 2)), "tcp_wmem");
        return tcp.applyTo(config);
    }

    private static int part(String three, int index) {
        String[] parts = three.strip().split("\\s+", -1);
        if (parts.length != 3) {
            throw new ScriptException("'" + three + "': three sizes are needed");
        }
        return number("buffer size", parts[index]);
    }
}
