package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.random.RandomGenerator;
import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The local endpoints in use in one stack, and who listens on them; shared by its shards. Reserving and listening take a lock (they
 * happen on the set-up path); the two questions cores ask per SYN and per active open, {@link #listenerFor} and {@link #isReserved}, read an
 * immutable map and a bit set. Any thread.
 *
 * <p>Two sockets may share a port, as on Linux, when their addresses do not overlap (an any-address overlaps all of its family,
 * {@link IpAddress#ANY6} those of both); or both set SO_REUSEADDR and neither listens; or both set SO_REUSEPORT, and then listeners share the
 * connections by a hash of the peer.
 */
public final class PortTable {
    /** Linux' ip_local_port_range. */
    public static final int FIRST_EPHEMERAL = 32_768;

    public static final int LAST_EPHEMERAL = 60_999;

    static final int EPHEMERAL_PORTS = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1;

    /** Who listens on one address of a port; several with SO_REUSEPORT. Immutable. */
    private static final class Listening {
        final long high;
        final long low;
        final TcpAcceptor[] acceptors;

        Listening(long high, long low, TcpAcceptor[] acceptors) {
            this.high = high;
            this.low = low;
            this.acceptors = acceptors;
        }
    }

    private static final Listening[] NOBODY = {};

    private final RandomGenerator random;

    /** Here because all shards share it: a client's next connection may be another shard's. */
    final FastOpenKeys fastOpenKeys;

    /** Guarded by this. */
    private final Int2ObjectHashMap<List<PortReservation>> reservations = new Int2ObjectHashMap<>();

    /** A bit per port with reservations. Written under the lock, read by any thread. */
    private final AtomicLongArray reservedBits = new AtomicLongArray(65_536 / 64);

    /** Replaced, never changed: listeners by port, the most specific address first. */
    private volatile Int2ObjectHashMap<Listening[]> listening = new Int2ObjectHashMap<>();

    /**
     * @param random source of the first ephemeral port to try; used under this table's lock
     */
    public PortTable(RandomGenerator random) {
        this.random = random;
        this.fastOpenKeys = new FastOpenKeys(random);
    }

    /**
     * Reserves an endpoint; port 0 chooses an ephemeral one. That the address is an own one is for the caller to know.
     *
     * @throws TcpException ADDRESS_IN_USE
     */
    public synchronized LocalBinding bind(IpAddress local, int port, TcpOptions options) throws TcpException {
        assert port >= 0 && port <= 0xffff : "port";
        int chosen = port != 0 ? port : chooseEphemeral(local, options);
        if (chosen == 0 || conflicts(local, chosen, options.reuseAddress, options.reusePort)) {
            throw new TcpException(TcpError.ADDRESS_IN_USE);
        }
        PortReservation reservation = new PortReservation(this, local, chosen, options.reuseAddress, options.reusePort);
        reservations.computeIfAbsent(chosen, key -> new ArrayList<>(1)).add(reservation);
        reservedBits.set(chosen >>> 6, reservedBits.get(chosen >>> 6) | 1L << chosen);
        return reservation;
    }

    /** From a random start (RFC 6056 §3.3.1); odd ports first, because active opens prefer even ones. 0 when all are taken. */
    private int chooseEphemeral(IpAddress local, TcpOptions options) {
        int half = EPHEMERAL_PORTS / 2;
        int start = random.nextInt(half);
        for (int i = 0; i < EPHEMERAL_PORTS; i++) {
            int parity = i < half ? 1 : 0;
            int port = FIRST_EPHEMERAL + (start + i) % half * 2 + parity;
            if (!isReserved(port) || !conflicts(local, port, false, options.reusePort)) {
                return port;
            }
        }
        return 0;
    }

    private boolean conflicts(IpAddress local, int port, boolean reuseAddress, boolean reusePort) {
        List<PortReservation> there = reservations.get(port);
        if (there == null) {
            return false;
        }
        for (PortReservation other : there) {
            boolean addressShared = reuseAddress && other.reuseAddress && other.listener == null;
            boolean portShared = reusePort && other.reusePort;
            if (!addressShared && !portShared && other.overlaps(local)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Makes {@code listener} the one that {@link #listenerFor} finds, and the binding its own, to be given up with {@link #release}.
     *
     * @throws TcpException ADDRESS_IN_USE when another listener has an overlapping endpoint (both were bound with SO_REUSEADDR); the binding
     *     stays the caller's
     */
    public synchronized void listen(LocalBinding binding, TcpAcceptor listener) throws TcpException {
        PortReservation own = own(binding);
        for (PortReservation other : reservationsOf(own.port())) {
            boolean portShared = own.reusePort && other.reusePort;
            if (other.listener != null && !portShared && other.overlaps(own.address())) {
                throw new TcpException(TcpError.ADDRESS_IN_USE);
            }
        }
        take(own);
        own.listener = listener;
        publishListeners(own.port());
    }

    /** A connection makes the binding its own, to be given up with {@link #release}. */
    public synchronized void takeOver(LocalBinding binding) {
        take(own(binding));
    }

    private static void take(PortReservation own) {
        if (own.takenOver || own.released) {
            throw new IllegalStateException("the binding is used or closed");
        }
        own.takenOver = true;
    }

    /** Gives up a binding that a listener or connection had taken over; nobody finds the listener any more. Idempotent. */
    public synchronized void release(LocalBinding binding) {
        free(own(binding));
    }

    synchronized void closeUnlessTakenOver(PortReservation reservation) {
        if (!reservation.takenOver) {
            free(reservation);
        }
    }

    private void free(PortReservation own) {
        if (own.released) {
            return;
        }
        own.released = true;
        int port = own.port();
        List<PortReservation> there = reservationsOf(port);
        there.remove(own);
        if (there.isEmpty()) {
            reservations.remove(port);
            reservedBits.set(port >>> 6, reservedBits.get(port >>> 6) & ~(1L << port));
        }
        if (own.listener != null) {
            own.listener = null;
            publishListeners(port);
        }
    }

    private List<PortReservation> reservationsOf(int port) {
        List<PortReservation> there = reservations.get(port);
        assert there != null : "a reservation without an entry";
        return there;
    }

    private PortReservation own(LocalBinding binding) {
        if (!(binding instanceof PortReservation reservation)) {
            throw new IllegalArgumentException("not a binding of this table");
        }
        return reservation;
    }

    private void publishListeners(int port) {
        Int2ObjectHashMap<Listening[]> next = new Int2ObjectHashMap<>(listening);
        Listening[] entries = listeningOn(port);
        if (entries.length == 0) {
            next.remove(port);
        } else {
            next.put(port, entries);
        }
        listening = next;
    }

    private Listening[] listeningOn(int port) {
        List<Listening> entries = new ArrayList<>();
        List<PortReservation> there = reservations.get(port);
        if (there == null) {
            return NOBODY;
        }
        for (PortReservation reservation : there) {
            TcpAcceptor listener = reservation.listener;
            if (listener != null) {
                addTo(entries, reservation.address(), listener);
            }
        }
        entries.sort((a, b) -> Integer.compare(rank(a), rank(b)));
        return entries.toArray(NOBODY);
    }

    private static void addTo(List<Listening> entries, IpAddress address, TcpAcceptor listener) {
        for (int i = 0; i < entries.size(); i++) {
            Listening entry = entries.get(i);
            if (entry.high == address.high() && entry.low == address.low()) {
                TcpAcceptor[] group = Arrays.copyOf(entry.acceptors, entry.acceptors.length + 1);
                group[group.length - 1] = listener;
                entries.set(i, new Listening(entry.high, entry.low, group));
                return;
            }
        }
        entries.add(new Listening(address.high(), address.low(), new TcpAcceptor[] {listener}));
    }

    /** Specific addresses before 0.0.0.0 before ::. */
    private static int rank(Listening entry) {
        if (isAny6(entry)) {
            return 2;
        }
        return isAny4(entry) ? 1 : 0;
    }

    private static boolean isAny6(Listening entry) {
        return entry.high == 0 && entry.low == 0;
    }

    private static boolean isAny4(Listening entry) {
        return entry.high == IpAddress.ANY4.high() && entry.low == IpAddress.ANY4.low();
    }

    /**
     * The listener for a connection from {@code remote} to {@code local}: that of the exact address, else 0.0.0.0's for IPv4, else ::'s. Lock-free;
     * allocates nothing.
     */
    @Nullable
    TcpAcceptor listenerFor(
            long localHigh, long localLow, int localPort, long remoteHigh, long remoteLow, int remotePort) {
        Listening[] entries = listening.get(localPort);
        if (entries == null) {
            return null;
        }
        boolean v4 = IpAddress.isV4(localHigh, localLow);
        for (Listening entry : entries) {
            boolean exact = entry.high == localHigh && entry.low == localLow;
            if (exact || isAny6(entry) || v4 && isAny4(entry)) {
                TcpAcceptor[] group = entry.acceptors;
                return group.length == 1 ? group[0] : group[member(remoteHigh, remoteLow, remotePort, group.length)];
            }
        }
        return null;
    }

    /** Spreads peers over a SO_REUSEPORT group; a multiplicative hash is enough, since the listeners belong to the same application. */
    private static int member(long remoteHigh, long remoteLow, int remotePort, int members) {
        long mixed = (remoteHigh ^ remoteLow ^ (long) remotePort << 32) * 0x9e37_79b9_7f4a_7c15L;
        return (int) ((mixed >>> 32) * members >>> 32);
    }

    /** Whether somebody listens for connections to that address and port. */
    public boolean listensOn(IpAddress address, int port) {
        return listenerFor(address.high(), address.low(), port, 0, 0, 0) != null;
    }

    /** Whether somebody has bound that port on any address. Lock-free. */
    public boolean isReserved(int port) {
        return (reservedBits.get(port >>> 6) & 1L << port) != 0;
    }
}
