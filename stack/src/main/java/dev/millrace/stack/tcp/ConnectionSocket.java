package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ChunkPool;
import dev.millrace.stack.memory.ReceiveBuffer;
import dev.millrace.stack.memory.SendBuffer;
import dev.millrace.stack.wire.IpAddress;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * The application's half of a connection, on whatever threads it likes, and where the two halves meet: the byte queues, {@link UrgentData}, and a handful of
 * fields, each written by one side. The core publishes {@code status} and {@code error}; the application sets request bits and counts, then asks for
 * attention. {@code pending} keeps the connection from being submitted twice: the application sets it and submits when it was clear, the core clears it
 * before it looks, both with an atomic exchange, so that whatever was written before a refused submission is seen by the look that follows.
 */
final class ConnectionSocket implements TcpSocket {
    /** {@code status} beyond the bits of {@link TcpSocket#readiness}: our FIN is acknowledged. */
    static final int FIN_ACKNOWLEDGED = 1 << 16;

    /** And: the handshake is complete, which a connect with Fast Open does not wait for. */
    static final int SYNCHRONISED = 1 << 17;

    // requests
    static final int SHUTDOWN_OUTPUT = 1;
    static final int SHUTDOWN_INPUT = 1 << 1;
    static final int CLOSE = 1 << 2;
    static final int ABORT = 1 << 3;
    /** Nothing more is to be waited for before the SYN. */
    static final int OPEN = 1 << 4;

    private static final VarHandle STATUS;
    private static final VarHandle REQUESTED;
    private static final VarHandle PENDING;
    private static final VarHandle SPACE_WANTED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            STATUS = lookup.findVarHandle(ConnectionSocket.class, "status", int.class);
            REQUESTED = lookup.findVarHandle(ConnectionSocket.class, "requested", int.class);
            PENDING = lookup.findVarHandle(ConnectionSocket.class, "pending", int.class);
            SPACE_WANTED = lookup.findVarHandle(ConnectionSocket.class, "spaceWanted", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    // immutable
    /** The core's half; the application passes it on to the core and otherwise sees of it only what never changes. */
    final TcpConnection connection;

    private final AttentionSink attention;
    private final ChunkPool chunks;
    /** Asked for estimates only, whether a read is news to the core. */
    private final Receiver receiver;

    private final UrgentData urgent;
    private final NotSentLimit notSent;
    private final SendBuffer sendBuffer;
    private final ReceiveBuffer receiveBuffer;
    private final TcpOptions options;

    // written by the core, read by the application
    private int status;
    private volatile TcpError error = TcpError.NONE;

    /**
     * How many bytes may go with the SYN that waits for them: until the handshake is complete the application writes no more than that, as on Linux.
     * Written before CONNECTED is.
     */
    int synTextLimit;

    // written by the application, read by the core
    @SuppressWarnings("UnusedVariable") // through REQUESTED
    private int requested;

    private int spaceWanted;
    private volatile boolean moreFollows;
    private volatile int optionsVersion;
    private volatile TcpObserver observer;

    // set by the application, cleared by the core; a lost race costs one more look at an unchanged buffer
    /** The pool was dry when the application wrote: not writable until it is not. */
    private volatile boolean memoryWanted;

    // exchanged by both
    @SuppressWarnings("UnusedVariable") // through PENDING
    private int pending;

    ConnectionSocket(TcpConnection connection, Tcp tcp, TcpOptions options, TcpObserver observer) {
        this.connection = connection;
        this.attention = tcp.attention;
        this.chunks = tcp.chunks;
        this.receiver = connection.receiver;
        this.urgent = connection.urgent;
        this.notSent = connection.notSent;
        this.sendBuffer = connection.sender.buffer;
        this.receiveBuffer = connection.receiver.buffer;
        this.options = options;
        this.observer = observer;
        urgent.inline(options.oobInline);
    }

    // ---- application: state ----

    @Override
    public int readiness() {
        int now = (int) STATUS.getAcquire(this);
        int wishes = (int) REQUESTED.getAcquire(this);
        int ready = now & ~(FIN_ACKNOWLEDGED | SYNCHRONISED);
        if ((now & (PEER_CLOSED | FAILED)) != 0
                || (wishes & SHUTDOWN_INPUT) != 0
                || urgent.readable(receiveBuffer, receiveBuffer.readableBytes()) > 0) {
            ready |= READABLE;
        }
        if ((now & FAILED) != 0
                || (wishes & SHUTDOWN_OUTPUT) != 0
                || (now & CONNECTED) != 0
                        && !memoryWanted
                        && hasSpace()
                        && (synTextLimit == 0 || mayFollowSyn(1, now) > 0)) {
            ready |= WRITABLE;
        }
        boolean closing = (wishes & (SHUTDOWN_OUTPUT | CLOSE)) != 0;
        if (sendBuffer.freeBytes() >= sendBuffer.capacity() && (!closing || (now & FIN_ACKNOWLEDGED) != 0)) {
            ready |= DRAINED;
        }
        return ready;
    }

    /** As Linux: a third of the buffer, and not too much of it unsent. */
    boolean hasSpace() {
        return sendBuffer.freeBytes() * 3L >= sendBuffer.capacity() && notSent.isWritable(sendBuffer.tailAcquire());
    }

    @Override
    public TcpError error() {
        return error;
    }

    @Override
    public int readableBytes() {
        return ((int) REQUESTED.getAcquire(this) & SHUTDOWN_INPUT) != 0
                ? 0
                : urgent.readable(receiveBuffer, receiveBuffer.readableBytes());
    }

    @Override
    public int writableBytes() {
        return notSent.permitted(sendBuffer.tailAcquire(), sendBuffer.freeBytes());
    }

    // ---- application: bytes ----

    @Override
    public int read(ByteBuffer target, int at, int length) {
        if (((int) REQUESTED.getAcquire(this) & SHUTDOWN_INPUT) != 0) {
            return END;
        }
        int count = take(target, at, length);
        if (count <= 0 && length > 0) {
            int now = (int) STATUS.getAcquire(this);
            if ((now & (PEER_CLOSED | FAILED)) == 0) {
                return Math.max(count, 0);
            }
            count = take(target, at, length); // bytes published before the end was
            if (count <= 0) {
                return (now & PEER_CLOSED) != 0 ? END : ERROR;
            }
        }
        if (receiver.window.attentionDue(receiveBuffer.headAcquire())
                || (receiver.acks.awaitsReader() && receiveBuffer.readableBytes() == 0)) {
            requestAttention();
        }
        return count;
    }

    private int take(ByteBuffer target, int at, int length) {
        return urgent.isAhead(receiveBuffer.headAcquire())
                ? urgent.read(receiveBuffer, target, at, length)
                : receiveBuffer.read(target, at, length);
    }

    @Override
    public int write(ByteBuffer source, int from, int length) {
        if (refusesText()) {
            return ERROR;
        }
        if (synTextLimit > 0) {
            return writeWithSyn(source, from, length);
        }
        int allowed = notSent.permitted(sendBuffer.tailAcquire(), length);
        return onWritten(sendBuffer.write(source, from, allowed), allowed);
    }

    private int writeWithSyn(ByteBuffer source, int from, int length) {
        int now = (int) STATUS.getAcquire(this);
        if (length == 0 && (now & SYNCHRONISED) == 0) {
            request(OPEN); // as Linux: the SYN goes, with nothing
        }
        int allowed = mayFollowSyn(length, now);
        return onWritten(sendBuffer.write(source, from, allowed), allowed);
    }

    /** How many of so many bytes may be written: before the handshake is complete those that go with the SYN, and these once only. */
    private int mayFollowSyn(int length, int now) {
        if ((now & SYNCHRONISED) != 0) {
            return notSent.permitted(sendBuffer.tailAcquire(), length);
        }
        boolean begun =
                sendBuffer.freeBytes() < sendBuffer.capacity() || ((int) REQUESTED.getAcquire(this) & OPEN) != 0;
        return begun ? 0 : Math.min(length, synTextLimit);
    }

    @Override
    public int writeUrgent(byte value) {
        return refusesText() ? ERROR : onWritten(urgent.write(sendBuffer, value), 1);
    }

    private boolean refusesText() {
        return ((int) STATUS.getAcquire(this) & FAILED) != 0
                || ((int) REQUESTED.getAcquire(this) & (SHUTDOWN_OUTPUT | CLOSE)) != 0;
    }

    private int onWritten(int count, int length) {
        if (count < 0) {
            return ERROR;
        }
        if (count < length && chunks.freeChunks() == 0 && sendBuffer.freeBytes() > 0) {
            memoryWanted = true;
            requestAttention();
        }
        boolean filled = !hasSpace();
        if (filled) {
            SPACE_WANTED.setRelease(this, spaceWanted + 1);
        }
        if (count > 0 || filled) {
            requestAttention();
        }
        return count;
    }

    @Override
    public void moreFollows(boolean more) {
        moreFollows = more;
    }

    // ---- application: requests ----

    @Override
    public void shutdownOutput() {
        request(SHUTDOWN_OUTPUT);
    }

    @Override
    public void shutdownInput() {
        request(SHUTDOWN_INPUT);
    }

    @Override
    public void close() {
        request(CLOSE);
    }

    @Override
    public void abort() {
        request(ABORT | CLOSE);
    }

    private void request(int bits) {
        int before = (int) REQUESTED.getAndBitwiseOr(this, bits);
        if ((before & bits) != bits) {
            requestAttention();
        }
    }

    private void requestAttention() {
        if ((int) PENDING.getAndSet(this, 1) == 0) {
            attention.submit(connection);
        }
    }

    @Override
    public TcpOptions options() {
        return options;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // NIO's option lock makes the application one writer
    public void optionsChanged() {
        urgent.inline(options.oobInline);
        optionsVersion++;
        requestAttention();
    }

    @Override
    public void observer(TcpObserver newObserver) {
        observer = newObserver;
        requestAttention();
    }

    @Override
    public IpAddress localAddress() {
        return connection.path.local;
    }

    @Override
    public int localPort() {
        return connection.localPort;
    }

    @Override
    public IpAddress remoteAddress() {
        return connection.path.remote;
    }

    @Override
    public int remotePort() {
        return connection.remotePort;
    }

    @Override
    public int shard() {
        return connection.tcp.config.shard();
    }

    // ---- core ----

    /** What the application has asked for so far; whatever it asks for from now on, it submits the connection for again. */
    int takeRequests() {
        PENDING.getAndSet(this, 0);
        return requests();
    }

    /** The core will look at the application's requests in its next turn. */
    boolean isPending() {
        return (int) PENDING.getAcquire(this) != 0;
    }

    int requests() {
        return (int) REQUESTED.getAcquire(this);
    }

    /** Changes whenever the application has found too little space. */
    int spaceWanted() {
        return (int) SPACE_WANTED.getAcquire(this);
    }

    int optionsVersion() {
        return optionsVersion;
    }

    /** The application has promised more when it wrote last. */
    boolean moreFollows() {
        return moreFollows;
    }

    TcpObserver observer() {
        return observer;
    }

    boolean wantsMemory() {
        return memoryWanted;
    }

    /** There is buffer memory again, or the connection is over. */
    void memoryFound() {
        memoryWanted = false;
    }

    void publish(int bits) {
        STATUS.setRelease(this, status | bits);
    }

    /** The first failure is the one that the application hears of. */
    void publishFailure(TcpError why) {
        if (error == TcpError.NONE) {
            error = why;
        }
        publish(FAILED);
    }
}
