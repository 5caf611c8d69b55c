package dev.millrace.provider.routing;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What was decided about sockets, so that no routing is silent: each distinct kind, address, side and reason with how often it
 * occurred. Bounded: when {@link #LIMIT} distinct entries are held, further ones are counted together. Any thread.
 */
public final class SocketJournal {
    static final int LIMIT = 256;

    /** One line of the journal: sockets of the same kind, address and decision are one entry. */
    public record Entry(String kind, String address, Route route, String reason) {}

    private final Map<Entry, Long> counts = new LinkedHashMap<>();
    private long beyondLimit;

    /**
     * Notes one decision.
     *
     * @param kind {@code listen} or {@code connect}, for datagrams {@code datagrams at} or {@code datagrams to}
     * @param address bound address of a listener or a datagram socket, remote address of a client, or where the first datagram goes
     */
    public void opened(String kind, InetSocketAddress address, Decision decision) {
        Entry entry = new Entry(
                kind,
                address.getAddress() == null
                        ? address.toString()
                        : address.getAddress().getHostAddress() + ":" + address.getPort(),
                decision.route(),
                decision.reason());
        synchronized (counts) {
            if (counts.size() < LIMIT || counts.containsKey(entry)) {
                counts.merge(entry, 1L, Long::sum);
            } else {
                beyondLimit++;
            }
        }
    }

    /** The journal as lines for people, oldest first. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        synchronized (counts) {
            counts.forEach((entry, count) -> lines.add(entry.kind() + " " + entry.address() + " -> "
                    + entry.route().name().toLowerCase(Locale.ROOT) + ": " + entry.reason()
                    + (count == 1 ? "" : " (" + count + " times)")));
            if (beyondLimit > 0) {
                lines.add(beyondLimit + " more, beyond the journal's limit of " + LIMIT + " kinds");
            }
        }
        return lines;
    }
}
