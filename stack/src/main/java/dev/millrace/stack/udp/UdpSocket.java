package dev.millrace.stack.udp;

import dev.millrace.stack.memory.ChunkPool;
import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.memory.DatagramQueue;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.wire.IpAddress;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A datagram socket: the application's door, and what the cores share of it. Any thread may call any public method, with one receiver
 * and one sender at a time (the channel's read lock and write lock). Nothing blocks, and nothing is sent from the calling thread.
 *
 * <p>Datagrams may arrive at any core, wherever the hash of their flow leads; each core has a {@link DatagramQueue} of its own to the
 * application, so that every queue has one producer. All that is sent goes through one core, the socket's home, in order. One flow keeps
 * its order in both directions.
 */
public final class UdpSocket {
    /** {@link #readiness}: {@link #receive} would give a datagram, or {@link #takeError} an error. */
    public static final int READABLE = 1;
    /** {@link #readiness}: {@link #send} would take a datagram (at most half of the send buffer is in use, as Linux), or fail. */
    public static final int WRITABLE = 1 << 1;
    /** {@link #readiness}: {@link #takeError} would give an error. */
    public static final int FAILED = 1 << 2;

    /** {@link #receive}: no datagram is there. */
    public static final int NOTHING = -1;
    /** {@link #send}: the send buffer is full, or memory is used up; {@link #readiness} tells when to try again. */
    public static final int FULL = -2;
    /** {@link #send}: no datagram can be that long, or the path does not take it in one packet and it may not be fragmented. */
    public static final int TOO_LONG = -3;

    /** RFC 768 with RFC 791's and RFC 8200's length fields. */
    private static final int MAX_PAYLOAD_V4 = 65_535 - 20 - 8;

    private static final int MAX_PAYLOAD_V6 = 65_535 - 8;

    private static final int NO_LIMIT = Integer.MAX_VALUE;

    private static final VarHandle PENDING;
    private static final VarHandle ERROR;
    private static final VarHandle REPORT;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            PENDING = lookup.findVarHandle(UdpSocket.class, "pending", int.class);
            ERROR = lookup.findVarHandle(UdpSocket.class, "error", TcpError.class);
            REPORT = lookup.findVarHandle(UdpSocket.class, "report", PathReport.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final UdpTable table;
    private final UdpDoor[] doors;
    private final int home;
    private final IpAddress boundAddress;
    private final UdpOptions options;
    final boolean reuseAddress;
    final boolean reusePort;
    /** From the application to the home core. */
    final DatagramQueue sending;

    /** From each core to the application; an entry is set once, by its core. */
    private final AtomicReferenceArray<@Nullable DatagramQueue> received;

    // application only: under its read lock, and under its write lock
    private final DatagramHeader sendHeader = new DatagramHeader();
    private int nextQueue;

    // written by the application
    private int localPort;
    private volatile @Nullable UdpPeer peer;
    private volatile UdpObserver observer;
    private volatile boolean closed;
    private volatile boolean spaceWanted;

    /** Payload that fits one packet, as far as is known; counts while fragments are forbidden. Written by the home core. */
    private volatile int packetPayloadBytes = NO_LIMIT;

    // exchanged between application and cores
    @SuppressWarnings("UnusedVariable") // through PENDING
    private int pending;

    @SuppressWarnings({"UnusedVariable", "FieldMayBeFinal"}) // through ERROR
    private volatile TcpError error = TcpError.NONE;

    @SuppressWarnings("UnusedVariable") // through REPORT
    private volatile @Nullable PathReport report;

    /** Stands in the home core's list of sockets that wait for packets. Home core only. */
    boolean blocked;

    private UdpSocket(
            UdpTable table,
            UdpDoor[] doors,
            int home,
            ChunkPool homePool,
            IpAddress address,
            UdpOptions options,
            UdpObserver observer) {
        this.table = table;
        this.doors = doors;
        this.home = home;
        this.boundAddress = address;
        this.options = options;
        this.reuseAddress = options.reuseAddress;
        this.reusePort = options.reusePort;
        this.observer = observer;
        this.sending = new DatagramQueue(homePool);
        this.received = new AtomicReferenceArray<>(doors.length);
    }

    /**
     * Binds a socket.
     *
     * @param doors of all cores of the stack, by shard
     * @param home the shard that sends for it, whose memory {@code homePool} is
     * @param address an own one, or an any-address; {@link IpAddress#ANY6} stands for both families
     * @param port 0 for an ephemeral one
     * @throws TcpException ADDRESS_IN_USE, ADDRESS_NOT_AVAILABLE
     */
    public static UdpSocket bind(
            UdpTable table,
            UdpDoor[] doors,
            int home,
            ChunkPool homePool,
            IpAddress address,
            int port,
            UdpOptions options,
            UdpObserver observer)
            throws TcpException {
        UdpSocket socket = new UdpSocket(table, doors, home, homePool, address, options, observer);
        socket.localPort = table.bind(socket, port);
        return socket;
    }

    // ---- application: state ----

    /** What is true now; bits above. Cheap. */
    public int readiness() {
        int ready = error == TcpError.NONE ? 0 : READABLE | WRITABLE | FAILED;
        for (int i = 0; i < received.length() && (ready & READABLE) == 0; i++) {
            DatagramQueue queue = received.getAcquire(i);
            ready |= queue != null && !queue.isEmpty() ? READABLE : 0;
        }
        return ready | (isWritable() ? WRITABLE : 0);
    }

    private boolean isWritable() {
        if (hasSpace()) {
            return true;
        }
        spaceWanted = true; // before the second look: the core looks after it has made space
        return hasSpace();
    }

    private boolean hasSpace() {
        return sending.bytes() * 2L <= options.sendBufferBytes;
    }

    /** The error that came last, which is forgotten with this call (SO_ERROR); NONE for none. */
    public TcpError takeError() {
        return error == TcpError.NONE ? TcpError.NONE : (TcpError) ERROR.getAndSet(this, TcpError.NONE);
    }

    /** The bound address, or once connected the one that routing chose. */
    public IpAddress localAddress() {
        UdpPeer connected = peer;
        return boundAddress.isAny() && connected != null ? connected.local() : boundAddress;
    }

    /** The address given to bind. */
    public IpAddress boundAddress() {
        return boundAddress;
    }

    public int localPort() {
        return localPort;
    }

    /** Whom it is connected to, or null. */
    public @Nullable UdpPeer peer() {
        return peer;
    }

    public UdpOptions options() {
        return options;
    }

    /** The shard that sends for it. */
    public int home() {
        return home;
    }

    /** Replaces the observer. {@link UdpObserver#NONE} to end. */
    public void observer(UdpObserver next) {
        observer = next;
    }

    /**
     * From now on only datagrams from this peer are received, and errors about those to it reported; null ends that. What was received
     * before stays (as on Linux; NIO's channel discards it).
     */
    public void connect(@Nullable UdpPeer to) {
        peer = to;
        packetPayloadBytes = NO_LIMIT;
        takeError();
    }

    // ---- application: datagrams ----

    /**
     * Takes a datagram: as much of it as {@code length} allows goes into {@code target} at absolute index {@code at}, whose position is left
     * alone; the rest of it is discarded.
     *
     * @param from is told where it came from, and its whole length
     * @return bytes copied, or {@link #NOTHING}
     */
    public int receive(ByteBuffer target, int at, int length, DatagramHeader from) {
        for (int i = 0; i < received.length(); i++) {
            int index = nextQueue;
            nextQueue =
                    index + 1 == received.length() ? 0 : index + 1; // no core's datagrams keep those of others waiting
            DatagramQueue queue = received.getAcquire(index);
            if (queue != null && queue.peek(from)) {
                int count = Math.min(from.length, length);
                queue.copyTo(target, at, count);
                queue.release();
                return count;
            }
        }
        return NOTHING;
    }

    /**
     * Takes {@code length} bytes of {@code source} from absolute index {@code from} as a datagram to {@code remote}; the buffer's position is
     * left alone. It leaves when the home core next turns; what keeps it from leaving then is counted, or an error.
     *
     * @return {@code length}, {@link #FULL}, or {@link #TOO_LONG}
     */
    public int send(ByteBuffer source, int from, int length, IpAddress remote, int remotePort) {
        if (length > (remote.isV4() ? MAX_PAYLOAD_V4 : MAX_PAYLOAD_V6)
                || (options.dontFragment && length > packetPayloadBytes)) {
            return TOO_LONG;
        }
        if (!hasRoom()) {
            return FULL;
        }
        DatagramHeader header = sendHeader;
        UdpPeer connected = peer;
        IpAddress local = connected != null && connected.remote().equals(remote) ? connected.local() : boundAddress;
        header.localHigh = local.high();
        header.localLow = local.low();
        header.localPort = localPort;
        header.remoteHigh = remote.high();
        header.remoteLow = remote.low();
        header.remotePort = remotePort;
        header.trafficClass = options.trafficClass;
        if (!sending.offer(header, source, from, length)) {
            spaceWanted = true;
            return FULL;
        }
        requestAttention();
        return length;
    }

    private boolean hasRoom() {
        if (sending.bytes() < options.sendBufferBytes) {
            return true;
        }
        spaceWanted = true; // before the second look, as above
        return sending.bytes() < options.sendBufferBytes;
    }

    private void requestAttention() {
        if ((int) PENDING.getAndSet(this, 1) == 0) {
            doors[home].submit(this);
        }
    }

    /**
     * Gives the port back; what was sent still leaves. Idempotent. No other call may be under way, and none but {@link #readiness} may
     * follow.
     */
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        observer = UdpObserver.NONE;
        table.release(this);
        for (UdpDoor door : doors) { // each core gives back what it holds, after whatever it is in the middle of
            door.submit(this);
        }
    }

    // ---- cores: finding ----

    /** Whether some datagram could be meant for both, connections aside. */
    boolean overlaps(UdpSocket other) {
        IpAddress a = boundAddress;
        IpAddress b = other.boundAddress;
        if (a.equals(b) || a.equals(IpAddress.ANY6) || b.equals(IpAddress.ANY6)) {
            return true;
        }
        return (a.equals(IpAddress.ANY4) && b.isV4()) || (b.equals(IpAddress.ANY4) && a.isV4());
    }

    /** How well a datagram fits; 0 when it is not for this socket. */
    int score(long localHigh, long localLow, long remoteHigh, long remoteLow, int remotePort) {
        int score;
        if (boundAddress.low() == localLow && boundAddress.high() == localHigh) {
            score = 3;
        } else if (boundAddress.equals(IpAddress.ANY4) && IpAddress.isV4(localHigh, localLow)) {
            score = 2;
        } else if (boundAddress.equals(IpAddress.ANY6)) {
            score = 1;
        } else {
            return 0;
        }
        UdpPeer connected = peer;
        if (connected == null) {
            return score;
        }
        // with the local address that connect chose, as Linux' rebinding does
        boolean fits = connected.is(remoteHigh, remoteLow, remotePort)
                && connected.local().low() == localLow
                && connected.local().high() == localHigh;
        return fits ? score + 4 : 0;
    }

    // ---- cores: receiving ----

    /** Whether one more datagram is taken: until the limit is passed (as Linux, by one datagram at most, here by one of each core). */
    boolean takesMore() {
        long bytes = 0;
        for (int i = 0; i < received.length(); i++) {
            DatagramQueue queue = received.getAcquire(i);
            bytes += queue == null ? 0 : queue.bytes();
        }
        return bytes <= options.receiveBufferBytes;
    }

    /** The queue of a core, made with its first datagram. That core only. */
    DatagramQueue receivedBy(int shard, ChunkPool pool) {
        DatagramQueue queue = received.getPlain(shard);
        if (queue == null) {
            queue = new DatagramQueue(pool);
            received.setRelease(shard, queue);
        }
        return queue;
    }

    /** That core only, once {@link #isClosed}. */
    void disposeReceivedBy(int shard) {
        DatagramQueue queue = received.getPlain(shard);
        if (queue != null) {
            queue.dispose();
        }
    }

    void onReadable() {
        observer.onReadiness();
    }

    void onError(TcpError why) {
        ERROR.setVolatile(this, why);
        observer.onReadiness();
    }

    // ---- cores: sending ----

    boolean isClosed() {
        return closed;
    }

    void clearPending() {
        PENDING.getAndSet(this, 0);
    }

    /** Comes back for what is left. Home core only. */
    void attendAgain() {
        requestAttention();
    }

    /** Datagrams have left: tells an application that found too little space. Home core only. */
    void announceSpace() {
        if (spaceWanted && hasSpace()) {
            spaceWanted = false;
            observer.onReadiness();
        }
    }

    void packetPayloadBytes(int bytes) {
        if (packetPayloadBytes != bytes) {
            packetPayloadBytes = bytes;
        }
    }

    /** Has the home core hear what a router said. While it has not heard the last report, others are lost; routers repeat theirs. Any core. */
    void reportPath(PathReport what) {
        if (REPORT.compareAndSet(this, null, what)) {
            doors[home].submit(this);
        }
    }

    @Nullable
    PathReport takeReport() {
        return report == null ? null : (PathReport) REPORT.getAndSet(this, null);
    }

    @Override
    public String toString() {
        return boundAddress + ":" + localPort + " - " + peer;
    }
}
