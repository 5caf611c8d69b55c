package dev.millrace.io.dpdk;

import dev.millrace.io.posix.Errno;
import dev.millrace.io.posix.UnixSocket;
import java.nio.file.Path;
import java.util.Set;

/** What to do when a device cannot be opened. */
final class DriverAdvice {
    private static final Set<String> NEEDS_ROOT = Set.of("net_af_packet", "net_af_xdp", "net_tap");

    private DriverAdvice() {}

    static String of(DeviceSpec device, int errno) {
        if (errno == Errno.EEXIST) {
            return "this JVM has a DPDK device of that name: give the second one another number";
        }
        boolean root = "root".equals(System.getProperty("user.name"));
        if (NEEDS_ROOT.contains(device.driver()) && !root) {
            return "run as root (the driver needs CAP_NET_ADMIN and CAP_NET_RAW)";
        }
        String socket = device.servedSocket();
        if (socket != null) {
            return "is another process serving " + socket + "? stop it or choose another path";
        }
        socket = device.connectedSocket();
        if (socket != null) {
            return device.hasAbstractSocket() || UnixSocket.isServed(Path.of(socket))
                    ? "is the other end on " + socket + " running, and free?"
                    : "nobody serves " + socket + ": start the other end first";
        }
        return "check the device's name and arguments in DPDK's guide of network drivers";
    }
}
