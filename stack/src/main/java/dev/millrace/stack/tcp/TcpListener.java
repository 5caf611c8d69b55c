package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * A listener, shared by all shards: cores offer established connections, one application thread at a time takes them. The queue is
 * JCTools' many-to-one array queue; {@code waiting} bounds it to the backlog, which may change while connections arrive.
 */
public final class TcpListener implements TcpAcceptor {
    private static final int QUEUE_CHUNK = 64;

    private final LocalBinding binding;
    private final TcpOptions options;
    private final MpscUnboundedVarHandleArrayQueue<TcpSocket> established =
            new MpscUnboundedVarHandleArrayQueue<>(QUEUE_CHUNK);
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicInteger fastOpenPending = new AtomicInteger();
    private final PortTable ports;

    /** Half-open connections per shard; each written by its own core. */
    private final AtomicIntegerArray halfOpen;

    private volatile int backlog;
    private volatile TcpObserver observer;
    private volatile boolean closed;

    private TcpListener(
            PortTable ports, LocalBinding binding, int backlog, TcpOptions options, TcpObserver observer, int shards) {
        this.ports = ports;
        this.binding = binding;
        this.backlog = backlog;
        this.options = options;
        this.observer = observer;
        this.halfOpen = new AtomicIntegerArray(shards);
    }

    /**
     * Listens on every shard at once.
     *
     * @param binding taken over: given up with the listener
     * @param backlog connections that may wait to be accepted
     * @param shards cores that will offer connections
     * @throws TcpException ADDRESS_IN_USE when another listener has an overlapping endpoint
     */
    public static TcpListener open(
            PortTable ports, LocalBinding binding, int backlog, TcpOptions options, TcpObserver observer, int shards)
            throws TcpException {
        TcpListener listener = new TcpListener(ports, binding, backlog, options, observer, shards);
        ports.listen(binding, listener);
        return listener;
    }

    // ---- application ----

    @Override
    public @Nullable TcpSocket accept() {
        TcpSocket socket = established.poll();
        if (socket != null) {
            waiting.decrementAndGet();
        }
        return socket;
    }

    @Override
    public boolean hasPending() {
        return !established.isEmpty();
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        ports.release(binding);
        // one consumer: NIO's accept lock keeps accept() away; what a core offers from now on, it aborts itself
        for (TcpSocket socket = established.poll(); socket != null; socket = established.poll()) {
            socket.abort();
        }
    }

    @Override
    public void backlog(int connections) {
        backlog = connections;
    }

    @Override
    public TcpOptions options() {
        return options;
    }

    @Override
    public void observer(TcpObserver newObserver) {
        observer = newObserver;
        newObserver.onReadiness();
    }

    @Override
    public IpAddress localAddress() {
        return binding.address();
    }

    @Override
    public int localPort() {
        return binding.port();
    }

    // ---- cores ----

    boolean isClosed() {
        return closed;
    }

    /** As Linux, one more than the backlog may wait. Core. */
    boolean isFull() {
        return waiting.get() > backlog;
    }

    /** Hands an established connection over; it is reset if nobody will accept it any more. Core. */
    void offer(TcpSocket socket) {
        waiting.incrementAndGet();
        established.offer(socket);
        if (closed) {
            socket.abort();
        } else {
            observer.onReadiness();
        }
    }

    /** Connections opened by data with a SYN that wait for their final ACK, on all shards. Any core. */
    int fastOpenPending() {
        return fastOpenPending.get();
    }

    void fastOpenPendingChanged(int change) {
        fastOpenPending.addAndGet(change);
    }

    int fastOpenLimit() {
        int wanted = options.fastOpenQueue;
        return wanted >= 0 ? wanted : backlog;
    }

    int halfOpen(int shard) {
        return halfOpen.getPlain(shard);
    }

    void halfOpenChanged(int shard, int change) {
        halfOpen.setOpaque(shard, halfOpen.getPlain(shard) + change);
    }
}
