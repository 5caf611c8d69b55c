package dev.millrace.provider.nio;

import dev.millrace.provider.MillraceSocketOptions;
import dev.millrace.provider.Runtime;
import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.nio.SocketState.Phase;
import dev.millrace.stack.core.MetricsCall;
import dev.millrace.stack.tcp.TcpMetrics;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.tcp.TcpState;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ConnectionPendingException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A socket channel that lives on the stack or on the kernel. Which, is decided when {@code bind} or {@code connect} names an address;
 * until then it records options. On the kernel it delegates to a JDK channel; on the stack it is a thin layer over a
 * {@link TcpSocket}.
 *
 * <p>Its roles are {@link SocketInput}, {@link SocketOutput} and {@link SocketConnect}; what they share is {@link SocketState}; what a bind
 * reserves is {@link LocalReservation}.
 *
 * <p>Locks, in this order: the input's (held by the one thread that reads or connects), the output's (writes or connects), the
 * state's monitor (guards state, options and reservation; never held while waiting).
 *
 * <p>Closing. In non-blocking mode operations are short, so close waits for the running ones through their locks, then gives the
 * connection up. In blocking mode it must not wait, for the blocked thread may itself be on its way into {@code close} after an interrupt:
 * it marks the channel, makes the blocked threads look, and the last of them to leave gives the connection up. In both cases
 * that happens at once and not when selectors let go of the channel: a connection of the stack has no descriptor that could be reused.
 */
public final class StackSocketChannel extends SocketChannel implements StackEndpoint {
    private static final ByteBuffer[] NONE = {};

    private final Runtime runtime;
    private final Driver driver;
    private final ProtocolFamily family;
    private final Registrations registrations = new Registrations();
    private final SocketState state = new SocketState();
    private final SocketInput input;
    private final SocketOutput output;

    // guarded by state
    private final RecordedOptions options;
    private final LocalReservation reservation;
    private @Nullable Socket adaptor;

    /** An unconnected channel; {@code family} is INET or INET6. */
    public StackSocketChannel(Runtime runtime, ProtocolFamily family) {
        this(runtime, family, new RecordedOptions(KernelOptions.client(runtime::kernel)));
    }

    private StackSocketChannel(Runtime runtime, ProtocolFamily family, RecordedOptions options) {
        super(runtime.provider());
        this.runtime = runtime;
        this.driver = runtime.driver();
        this.family = family;
        this.options = options;
        this.reservation = new LocalReservation(runtime, family, options, state);
        ConnectionFailure failure = new ConnectionFailure();
        this.input = new SocketInput(this, state, driver, failure);
        this.output = new SocketOutput(this, state, driver, failure);
    }

    /** An accepted connection. */
    static StackSocketChannel accepted(
            Runtime runtime, ProtocolFamily family, TcpSocket socket, RecordedOptions listenerOptions) {
        RecordedOptions inherited = listenerOptions.inherited(KernelOptions.client(runtime::kernel));
        StackSocketChannel channel = new StackSocketChannel(runtime, family, inherited);
        synchronized (channel.state) {
            channel.state.localAddress = Addresses.socketAddress(socket.localAddress(), socket.localPort());
            channel.state.remoteAddress = Addresses.socketAddress(socket.remoteAddress(), socket.remotePort());
            channel.state.tcp = socket;
            channel.state.phase = Phase.CONNECTED;
        }
        socket.observer(channel.registrations);
        return channel;
    }

    // ---- reading ----

    @Override
    public int read(ByteBuffer target) throws IOException {
        SocketChannel delegate = state.kernel;
        if (delegate != null) {
            try {
                return delegate.read(target);
            } finally {
                closeWith(delegate);
            }
        }
        ByteTransfer.checkWritable(target);
        return (int) input.read(target, NONE, 0, 0, SocketInput.NO_TIMEOUT);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, targets.length);
        SocketChannel delegate = state.kernel;
        if (delegate != null) {
            try {
                return delegate.read(targets, offset, length);
            } finally {
                closeWith(delegate);
            }
        }
        ByteTransfer.checkWritable(targets, offset, length);
        return input.read(null, targets, offset, length, SocketInput.NO_TIMEOUT);
    }

    // ---- writing ----

    @Override
    public int write(ByteBuffer source) throws IOException {
        SocketChannel delegate = state.kernel;
        if (delegate != null) {
            try {
                return delegate.write(source);
            } finally {
                closeWith(delegate);
            }
        }
        return (int) output.write(Objects.requireNonNull(source), NONE, 0, 0);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, sources.length);
        SocketChannel delegate = state.kernel;
        if (delegate != null) {
            try {
                return delegate.write(sources, offset, length);
            } finally {
                closeWith(delegate);
            }
        }
        return output.write(null, sources, offset, length);
    }

    /**
     * Sees to it that what was asked of the connection leaves soon: the thread that selects for this channel will drive the stack
     * when it selects again, and send everything at once; any other has to have it done now.
     */
    void requestTurn(TcpSocket socket) {
        if (!registrations.isSelectedBy(Thread.currentThread())) {
            driver.nudge(driver.shards()[socket.shard()]);
        }
    }

    /** A thread that polls a channel without any selector is the only one that could drive the stack for it. */
    void driveIfUnselected(TcpSocket socket) {
        if (registrations.keys().length == 0) {
            driver.nudge(driver.shards()[socket.shard()]);
        }
    }

    /** As {@code begin}, for the roles. */
    void enter() {
        begin();
    }

    /** As {@code end}, for the roles. */
    void leave(boolean completed) throws AsynchronousCloseException {
        end(completed);
    }

    void ensureOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }

    // ---- binding and connecting ----

    @Override
    public SocketChannel bind(@Nullable SocketAddress local) throws IOException {
        lockBoth();
        try {
            synchronized (state) {
                ensureOpen();
                if (isConnectionPending()) {
                    throw new ConnectionPendingException();
                }
                if (state.kernel != null || state.localAddress != null) {
                    throw new AlreadyBoundException();
                }
                reservation.bind(Addresses.checkLocal(local, family));
            }
        } finally {
            unlockBoth();
        }
        return this;
    }

    @Override
    public boolean connect(SocketAddress remote) throws IOException {
        return connect(Addresses.checkRemote(remote, family), SocketInput.NO_TIMEOUT, false);
    }

    /** For the socket adaptor: as {@link #connect}, in blocking mode only, and given up after a time. */
    void blockingConnect(SocketAddress remote, long timeoutNs) throws IOException {
        connect(Addresses.checkRemote(remote, family), timeoutNs, true);
    }

    private boolean connect(InetSocketAddress remote, long timeoutNs, boolean blockingOnly) throws IOException {
        try {
            SocketChannel delegate;
            lockBoth();
            try {
                ensureOpen();
                if (blockingOnly && !isBlocking()) {
                    throw new IllegalBlockingModeException();
                }
                delegate = route(remote);
                if (delegate == null) {
                    return overStack().connect(remote, timeoutNs);
                }
            } finally {
                unlockBoth();
            }
            return connectOverKernel(delegate, remote, timeoutNs);
        } catch (IOException e) {
            closeAfter(e);
            throw e;
        }
    }

    /** A failed connect leaves a closed channel. */
    private void closeAfter(IOException failed) {
        try {
            close();
        } catch (IOException e) {
            failed.addSuppressed(e);
        }
    }

    private SocketConnect overStack() {
        return new SocketConnect(this, runtime, state, reservation, input);
    }

    /** Decides, at the first connect, where this channel lives from now on: the kernel channel to delegate to, or null for the stack. */
    private @Nullable SocketChannel route(InetSocketAddress remote) throws IOException {
        synchronized (state) {
            ensureOpen();
            return state.kernel != null || state.phase != Phase.UNCONNECTED
                    ? state.kernel
                    : reservation.route(remote, isBlocking());
        }
    }

    private boolean connectOverKernel(SocketChannel delegate, InetSocketAddress remote, long timeoutNs)
            throws IOException {
        try {
            boolean connected = true;
            if (timeoutNs == SocketInput.NO_TIMEOUT) {
                connected = delegate.connect(remote);
            } else {
                delegate.socket().connect(remote, millis(timeoutNs));
            }
            // only now: to the kernel a socket that does not even try to connect is hung up, and ready for everything
            for (MillraceKey key : registrations.keys()) {
                key.owner().kernelMayHaveCome(key, this);
            }
            return connected;
        } finally {
            closeWith(delegate);
        }
    }

    private static int millis(long timeoutNs) {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, timeoutNs / 1_000_000));
    }

    @Override
    public boolean finishConnect() throws IOException {
        SocketChannel delegate = state.kernel;
        try {
            return delegate != null ? finishOverKernel(delegate) : finishOverStack();
        } catch (IOException e) {
            closeAfter(e);
            throw e;
        }
    }

    private boolean finishOverKernel(SocketChannel delegate) throws IOException {
        try {
            return delegate.finishConnect();
        } finally {
            closeWith(delegate);
        }
    }

    private boolean finishOverStack() throws IOException {
        lockBoth();
        try {
            return overStack().finish();
        } finally {
            unlockBoth();
        }
    }

    private void lockBoth() {
        input.lock.lock();
        output.lock.lock();
    }

    private void unlockBoth() {
        output.lock.unlock();
        input.lock.unlock();
    }

    @Override
    public boolean isConnected() {
        SocketChannel delegate = state.kernel;
        return delegate != null ? delegate.isConnected() : state.phase == Phase.CONNECTED;
    }

    @Override
    public boolean isConnectionPending() {
        SocketChannel delegate = state.kernel;
        return delegate != null ? delegate.isConnectionPending() : state.phase == Phase.PENDING;
    }

    // ---- shutting down and closing ----

    @Override
    public SocketChannel shutdownInput() throws IOException {
        SocketChannel delegate = state.kernel;
        TcpSocket socket;
        synchronized (state) {
            ensureOpen();
            if (!isConnected()) {
                throw new NotYetConnectedException();
            }
            socket = state.tcp;
            if (delegate != null) {
                delegate.shutdownInput();
            } else if (!state.inputShut && socket != null) {
                socket.shutdownInput();
            }
            state.inputShut = true;
        }
        if (socket != null) {
            registrations.onReadiness();
        }
        return this;
    }

    @Override
    public SocketChannel shutdownOutput() throws IOException {
        SocketChannel delegate = state.kernel;
        TcpSocket socket;
        synchronized (state) {
            ensureOpen();
            if (!isConnected()) {
                throw new NotYetConnectedException();
            }
            socket = state.tcp;
            if (delegate != null) {
                delegate.shutdownOutput();
            } else if (!state.outputShut && socket != null) {
                socket.shutdownOutput();
            }
            state.outputShut = true;
        }
        if (socket != null) {
            requestTurn(socket);
            registrations.onReadiness();
        }
        return this;
    }

    @Override
    protected void implCloseSelectableChannel() throws IOException {
        SocketChannel delegate;
        boolean release = false;
        synchronized (state) {
            delegate = state.kernel;
            state.phase = delegate == null ? Phase.CLOSING : Phase.CLOSED;
            if (delegate == null && isBlocking()) {
                release = state.isLastToLeave();
            }
        }
        if (delegate != null) {
            delegate.close();
        } else if (isBlocking()) {
            if (release) {
                release();
            } else {
                registrations.signalWaiters();
            }
        } else {
            closeAfterOperations();
        }
    }

    private void closeAfterOperations() throws IOException {
        boolean release;
        lockBoth();
        try {
            synchronized (state) {
                release = state.isLastToLeave();
            }
        } finally {
            unlockBoth();
        }
        if (release) {
            release();
        }
    }

    /** Gives up whatever this channel holds. Once, by whoever closes it or leaves it last. */
    void release() throws IOException {
        try {
            TcpSocket socket = state.tcp;
            if (socket != null) {
                giveUp(socket);
            }
        } finally {
            synchronized (state) {
                reservation.release();
            }
        }
    }

    private void giveUp(TcpSocket socket) {
        int linger;
        synchronized (state) {
            linger = options.lingerSeconds();
        }
        if (linger == 0) {
            socket.abort();
        } else {
            socket.close();
        }
        requestTurn(socket);
        if (linger > 0 && !isRegistered()) {
            awaitDrained(socket, linger);
        }
    }

    /** SO_LINGER: close returns when everything is acknowledged, or after a time. An interrupt ends the wait. */
    private void awaitDrained(TcpSocket socket, int seconds) {
        ReadinessWaiter waiter = new ReadinessWaiter(() -> false);
        registrations.reader(waiter);
        waiter.forAny(socket, TcpSocket.DRAINED | TcpSocket.GONE | TcpSocket.FAILED);
        driver.await(waiter, System.nanoTime() + seconds * 1_000_000_000L);
    }

    /** A kernel channel that an interrupt has closed takes this channel with it. */
    private void closeWith(SocketChannel delegate) throws IOException {
        if (!delegate.isOpen()) {
            close();
        }
    }

    // ---- options and addresses ----

    @Override
    public <T> SocketChannel setOption(SocketOption<T> name, T value) throws IOException {
        if (name.equals(MillraceSocketOptions.TCP_INFO) && state.kernel == null) {
            throw new SocketException("Attempt to set read only option " + name);
        }
        options.checkSettable(name, value);
        synchronized (state) {
            ensureOpen();
            SocketChannel delegate = state.kernel;
            if (delegate != null) {
                delegate.setOption(name, value);
                return this;
            }
            options.set(name, value);
            SocketChannel reserved = reservation.onKernel();
            if (reserved != null) {
                reserved.setOption(name, value);
            }
            TcpSocket socket = state.tcp;
            if (socket != null) {
                options.applyTo(socket.options());
                socket.optionsChanged();
            }
        }
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        if (name.equals(MillraceSocketOptions.TCP_INFO) && state.kernel == null) {
            return name.type().cast(metrics());
        }
        options.checkSupported(name);
        synchronized (state) {
            ensureOpen();
            SocketChannel delegate = state.kernel;
            return delegate != null ? delegate.getOption(name) : options.get(name);
        }
    }

    private TcpMetrics metrics() throws ClosedChannelException {
        ensureOpen();
        TcpSocket socket = state.tcp;
        if (socket == null) {
            return TcpMetrics.of(TcpState.CLOSED);
        }
        MetricsCall call = runtime.stack().metrics(socket);
        CallWaiter.perform(call, call.core(), driver);
        return call.result();
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        Set<SocketOption<?>> supported = options.supported();
        if (state.kernel != null) {
            return supported;
        }
        Set<SocketOption<?>> withOwn = new HashSet<>(supported);
        withOwn.add(MillraceSocketOptions.TCP_INFO);
        return Set.copyOf(withOwn);
    }

    @Override
    public @Nullable SocketAddress getLocalAddress() throws IOException {
        synchronized (state) {
            ensureOpen();
            return localAddress();
        }
    }

    @Override
    public @Nullable SocketAddress getRemoteAddress() throws IOException {
        synchronized (state) {
            ensureOpen();
            return remoteAddress();
        }
    }

    /** Null while unbound; still there after a close. */
    @Nullable
    InetSocketAddress localAddress() {
        SocketChannel delegate = state.kernel;
        if (delegate != null) {
            return (InetSocketAddress) delegate.socket().getLocalSocketAddress();
        }
        synchronized (state) {
            return state.localAddress;
        }
    }

    /** Null before a connect; still there after a close. */
    @Nullable
    InetSocketAddress remoteAddress() {
        SocketChannel delegate = state.kernel;
        if (delegate != null) {
            return (InetSocketAddress) delegate.socket().getRemoteSocketAddress();
        }
        synchronized (state) {
            return state.remoteAddress;
        }
    }

    // ---- for the socket adaptor ----

    @Override
    public Socket socket() {
        synchronized (state) {
            if (adaptor == null) {
                adaptor = newAdaptor();
            }
            return adaptor;
        }
    }

    private Socket newAdaptor() {
        try {
            return new SocketAdaptor(this);
        } catch (SocketException e) {
            throw new AssertionError("the constructor that takes a SocketImpl opens nothing", e);
        }
    }

    boolean isInputShut() {
        return state.inputShut;
    }

    boolean isOutputShut() {
        return state.outputShut;
    }

    /** Reads some bytes in blocking mode; {@code timeoutMs} 0 for none. */
    int blockingRead(ByteBuffer target, int timeoutMs) throws IOException {
        SocketChannel delegate = state.kernel;
        if (delegate != null) {
            return readKernelSocket(delegate, target, timeoutMs);
        }
        if (!isBlocking()) {
            throw new IllegalBlockingModeException();
        }
        return (int) input.read(target, NONE, 0, 0, timeoutMs == 0 ? SocketInput.NO_TIMEOUT : timeoutMs * 1_000_000L);
    }

    private int readKernelSocket(SocketChannel delegate, ByteBuffer target, int timeoutMs) throws IOException {
        try {
            Socket socket = delegate.socket();
            if (socket.getSoTimeout() != timeoutMs) {
                socket.setSoTimeout(timeoutMs);
            }
            int position = target.position();
            int count =
                    socket.getInputStream().read(target.array(), target.arrayOffset() + position, target.remaining());
            if (count > 0) {
                target.position(position + count);
            }
            return count;
        } finally {
            closeWith(delegate);
        }
    }

    /** Writes everything, in blocking mode. */
    void blockingWrite(ByteBuffer source) throws IOException {
        if (!isBlocking()) {
            throw new IllegalBlockingModeException();
        }
        while (source.hasRemaining()) {
            write(source);
        }
    }

    /** Bytes that can be read without blocking. */
    int available() throws IOException {
        synchronized (state) {
            SocketChannel delegate = state.kernel;
            if (delegate != null) {
                return delegate.socket().getInputStream().available();
            }
            TcpSocket socket = state.connectedSocket();
            return state.inputShut ? 0 : socket.readableBytes();
        }
    }

    /** One byte of urgent data; false when there is no room and the channel does not block. */
    boolean writeUrgent(byte value) throws IOException {
        SocketChannel delegate = state.kernel;
        if (delegate == null) {
            return output.writeUrgent(value);
        }
        delegate.socket().sendUrgentData(value); // says by itself when there is no room
        return true;
    }

    // ---- for keys and selectors ----

    @Override
    public int readyOps(int interest) {
        TcpSocket socket = state.tcp;
        if (interest == 0 || socket == null) {
            return 0;
        }
        int readiness = socket.readiness();
        if ((readiness & TcpSocket.FAILED) != 0) {
            return interest;
        }
        return switch (state.phase) {
            case PENDING -> (readiness & TcpSocket.CONNECTED) != 0 ? interest & SelectionKey.OP_CONNECT : 0;
            case CONNECTED -> interest & transferOps(interest, readiness);
            default -> 0;
        };
    }

    private int transferOps(int interest, int readiness) {
        boolean noInput = state.inputShut;
        boolean noOutput = state.outputShut;
        boolean ended = noInput || (readiness & TcpSocket.PEER_CLOSED) != 0;
        if (ended && noOutput) {
            return interest; // hung up
        }
        int ops = ended || (readiness & TcpSocket.READABLE) != 0 ? SelectionKey.OP_READ : 0;
        return noOutput || (readiness & TcpSocket.WRITABLE) != 0 ? ops | SelectionKey.OP_WRITE : ops;
    }

    @Override
    public Registrations registrations() {
        return registrations;
    }

    @Override
    public @Nullable SelectableChannel kernelChannel() {
        return state.kernel;
    }

    @Override
    public boolean mayUseStack() {
        return state.kernel == null;
    }

    @Override
    protected void implConfigureBlocking(boolean block) throws IOException {
        lockBoth();
        try {
            SocketChannel delegate;
            synchronized (state) {
                ensureOpen();
                delegate = state.kernel;
            }
            if (delegate != null) {
                registrations.leaveKernelIfCancelled();
                delegate.configureBlocking(block);
            }
        } finally {
            unlockBoth();
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(SocketChannel.class.getName()).append('[');
        if (!isOpen()) {
            return text.append("closed]").toString();
        }
        if (isConnected()) {
            text.append("connected").append(state.inputShut ? " ishut" : "").append(state.outputShut ? " oshut" : "");
        } else {
            text.append(isConnectionPending() ? "connection-pending" : "unconnected");
        }
        InetSocketAddress local = localAddress();
        InetSocketAddress remote = remoteAddress();
        text.append(local == null ? "" : " local=" + local).append(remote == null ? "" : " remote=" + remote);
        return text.append(']').toString();
    }
}
