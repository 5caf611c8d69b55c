package dev.millrace.io.dpdk;

import dev.millrace.stack.port.LinkException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What stands behind {@code dpdk:}, in DPDK's own notation: {@code net_af_packet0,iface=veth1} for a virtual device, {@code 0000:00:04.0} for a PCI
 * device.
 *
 * @param name the device's name
 * @param arguments what follows the first comma, as written
 * @param values the same by key
 */
record DeviceSpec(String name, String arguments, Map<String, String> values) {
    private static final Pattern PCI = Pattern.compile("(?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7]");
    private static final Pattern VDEV = Pattern.compile("[a-z][a-z0-9_]*");

    /** Drivers that open a kernel interface which does not mind a second user. */
    private static final Set<String> SHARES_AN_INTERFACE = Set.of("net_af_packet", "net_af_xdp", "net_pcap");

    /** Drivers whose bursts make system calls. */
    private static final Set<String> MAKES_SYSTEM_CALLS =
            Set.of("net_af_packet", "net_af_xdp", "net_pcap", "net_tap", "net_tun", "net_kni");

    static DeviceSpec parse(String text) throws LinkException {
        int comma = text.indexOf(',');
        String name = comma < 0 ? text : text.substring(0, comma);
        String arguments = comma < 0 ? "" : text.substring(comma + 1);
        if (!PCI.matcher(name).matches() && !VDEV.matcher(name).matches()) {
            throw new LinkException(
                    "dpdk:" + text
                            + ": not a device: write a DPDK device such as net_af_packet0,iface=veth1 or a PCI address such as 0000:00:04.0");
        }
        Map<String, String> values = new LinkedHashMap<>();
        for (String argument : arguments.split(",", -1)) {
            int equals = argument.indexOf('=');
            if (equals > 0) {
                values.put(argument.substring(0, equals), argument.substring(equals + 1));
            } else if (!arguments.isEmpty()) {
                throw new LinkException(
                        "dpdk:" + text + ": '" + argument + "' is not key=value: separate device arguments by commas");
            }
        }
        return new DeviceSpec(name, arguments, Map.copyOf(values));
    }

    boolean isPci() {
        return PCI.matcher(name).matches();
    }

    String bus() {
        return isPci() ? "pci" : "vdev";
    }

    /** The name without its number: {@code net_af_packet}. */
    String driver() {
        return name.replaceAll("[0-9]+$", "");
    }

    /** As the user wrote it. */
    String link() {
        return "dpdk:" + name + (arguments.isEmpty() ? "" : "," + arguments);
    }

    /** The kernel interface that the device opens, or null. */
    @Nullable
    String kernelInterface() {
        return SHARES_AN_INTERFACE.contains(driver()) ? values.get("iface") : null;
    }

    /** What only one process may use. */
    String exclusiveResource() {
        String kernelInterface = kernelInterface();
        if (kernelInterface != null) {
            return "interface " + kernelInterface;
        }
        String socket = servedSocket();
        if (socket == null) {
            socket = connectedSocket();
        }
        // both ends of a socket are used once, whatever number the device has; a memif socket carries several, told
        // apart by their ids
        return socket == null
                ? link()
                : (servedSocket() == null ? "client of " : "server of ") + socket + " "
                        + values.getOrDefault("id", "0");
    }

    boolean makesSystemCalls() {
        return MAKES_SYSTEM_CALLS.contains(driver());
    }

    /** The socket on which this device listens, or null. */
    @Nullable
    String servedSocket() {
        return serves() ? socket() : null;
    }

    /** The socket of the other end, to which this device connects, or null. */
    @Nullable
    String connectedSocket() {
        return serves() ? null : socket();
    }

    /** Its driver connects to a server when it starts, and not again after that has ended. */
    boolean losesItsServer() {
        return driver().equals("net_memif") && !serves();
    }

    /** Its socket is a name that lives and dies with its server, instead of a file. */
    boolean hasAbstractSocket() {
        return driver().equals("net_memif") && !"no".equals(values.get("socket-abstract"));
    }

    private boolean serves() {
        return switch (driver()) {
            case "net_memif" -> "server".equals(values.get("role"));
            case "net_vhost" -> !"1".equals(values.get("client"));
            default -> "1".equals(values.get("server"));
        };
    }

    private @Nullable String socket() {
        return switch (driver()) {
            case "net_memif" -> values.getOrDefault("socket", "/run/memif.sock");
            case "net_vhost" -> values.get("iface");
            case "net_virtio_user" -> values.get("path");
            default -> null;
        };
    }
}
