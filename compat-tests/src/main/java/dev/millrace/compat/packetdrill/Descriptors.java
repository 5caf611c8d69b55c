package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.TcpSocket;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The script's file descriptors: numbers are those that the script expects. One thread. */
final class Descriptors {
    private final Map<Long, Descriptor> open = new LinkedHashMap<>();
    private long next = 3;

    /**
     * Opens one.
     *
     * @param expected the number that the script expects, or −1
     */
    long add(Descriptor descriptor, long expected) {
        long number = expected >= 0 ? expected : next;
        if (open.containsKey(number)) {
            throw new ScriptException("file descriptor " + number + " is open");
        }
        open.put(number, descriptor);
        while (open.containsKey(next)) {
            next++;
        }
        return number;
    }

    @Nullable
    Descriptor get(long number) {
        return open.get(number);
    }

    @Nullable
    Descriptor remove(long number) {
        Descriptor removed = open.remove(number);
        next = removed == null ? next : Math.min(next, number);
        return removed;
    }

    /** The open socket whose connection has these ports, or had them when it ended; null without one. */
    @Nullable
    ScriptSocket connected(int localPort, int remotePort) {
        ScriptSocket found = null;
        for (Descriptor each : open.values()) {
            TcpSocket connection = each instanceof ScriptSocket socket ? socket.connection : null;
            if (connection != null && connection.localPort() == localPort && connection.remotePort() == remotePort) {
                found = (ScriptSocket) each;
            }
        }
        return found;
    }

    /** The socket that last began to listen, or null. */
    @Nullable
    ScriptSocket listener() {
        ScriptSocket found = null;
        for (Descriptor each : open.values()) {
            if (each instanceof ScriptSocket socket && socket.acceptor != null) {
                found = socket;
            }
        }
        return found;
    }
}
