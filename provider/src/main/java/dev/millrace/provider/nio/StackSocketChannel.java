package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.nio.SocketState.Phase;
import dev.millrace.stack.tcp.TcpSocket;
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
import java.nio.channels.SelectableChannel;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A socket channel that lives on the stack or on the kernel. Which, is decided when {@code bind} or {@code connect} names an address;
 * until then it records options. On the kernel it delegates to a JDK channel ({@link KernelSocket}); on the stack it is a thin layer over a
 * {@link TcpSocket}.
 *
 * <p>This class is the channel's face; the work is done by its roles, which share {@link SocketState}: {@link SocketConnect}, {@link SocketInput},
 * {@link SocketOutput}, {@link SocketClosing}, {@link SocketChannelOptions}, and {@link LocalReservation}, what a bind reserves.
 *
 * <p>Locks, in this order: those of {@link SideLocks}, the input's (held by the one thread that reads or connects), then the output's (writes or
 * connects); then the state's monitor (guards state, options and reservation; never held while waiting). Closing is explained at
 * {@link ChannelClosing}.
 */
public final class StackSocketChannel extends SocketChannel implements StackEndpoint {
    private final Runtime runtime;
    private final Driver driver;
    private final ProtocolFamily family;
    private final Registrations registrations = new Registrations();
    private final SocketState state = new SocketState();
    private final SideLocks locks = new SideLocks();
    private final LocalReservation reservation; // guarded by state
    private final SocketChannelOptions options;
    private final SocketClosing closing;
    private final SocketInput input;
    private final SocketOutput output;

    // guarded by state
    private @Nullable Socket adaptor;

    /** An unconnected channel; {@code family} is INET or INET6. */
    public StackSocketChannel(Runtime runtime, ProtocolFamily family) {
        this(runtime, family, new RecordedOptions(KernelOptions.client(runtime::kernel)));
    }

    private StackSocketChannel(Runtime runtime, ProtocolFamily family, RecordedOptions recorded) {
        super(runtime.provider());
        this.runtime = runtime;
        this.driver = runtime.driver();
        this.family = family;
        this.reservation = new LocalReservation(this, runtime, family, recorded, state);
        this.options = new SocketChannelOptions(this, runtime, state, recorded, reservation);
        this.closing = new SocketClosing(this, state, locks, driver, recorded, reservation);
        ConnectionFailure failure = new ConnectionFailure();
        this.input = new SocketInput(this, locks, state, closing, driver, failure);
        this.output = new SocketOutput(this, locks, state, closing, driver, failure);
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

    // ---- bytes ----

    @Override
    public int read(ByteBuffer target) throws IOException {
        KernelSocket kernel = state.kernel;
        if (kernel != null) {
            return kernel.read(target);
        }
        ByteTransfer.checkWritable(target);
        return input.read(target);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, targets.length);
        KernelSocket kernel = state.kernel;
        if (kernel != null) {
            return kernel.read(targets, offset, length);
        }
        ByteTransfer.checkWritable(targets, offset, length);
        return input.read(targets, offset, length);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        KernelSocket kernel = state.kernel;
        return kernel != null ? kernel.write(source) : output.write(Objects.requireNonNull(source));
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, sources.length);
        KernelSocket kernel = state.kernel;
        return kernel != null ? kernel.write(sources, offset, length) : output.write(sources, offset, length);
    }

    // ---- for the roles ----

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

    /** As {@code begin}. */
    void enter() {
        begin();
    }

    /** As {@code end}. */
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
        locks.lockBoth();
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
            locks.unlockBoth();
        }
        return this;
    }

    @Override
    public boolean connect(SocketAddress remote) throws IOException {
        return connecting().connect(Addresses.checkRemote(remote, family), SocketInput.NO_TIMEOUT, false);
    }

    /** For the socket adaptor: as {@link #connect}, in blocking mode only, and given up after a time. */
    void blockingConnect(SocketAddress remote, long timeoutNs) throws IOException {
        connecting().connect(Addresses.checkRemote(remote, family), timeoutNs, true);
    }

    @Override
    public boolean finishConnect() throws IOException {
        return connecting().finish();
    }

    /** Made for each call: a channel is connected once, and an accepted one never. */
    private SocketConnect connecting() {
        return new SocketConnect(this, runtime, state, locks, reservation, input);
    }

    @Override
    public boolean isConnected() {
        KernelSocket kernel = state.kernel;
        return kernel != null ? kernel.channel().isConnected() : state.phase == Phase.CONNECTED;
    }

    @Override
    public boolean isConnectionPending() {
        KernelSocket kernel = state.kernel;
        return kernel != null ? kernel.channel().isConnectionPending() : state.phase == Phase.PENDING;
    }

    // ---- shutting down and closing ----

    @Override
    public SocketChannel shutdownInput() throws IOException {
        closing.shutdownInput();
        return this;
    }

    @Override
    public SocketChannel shutdownOutput() throws IOException {
        closing.shutdownOutput();
        return this;
    }

    @Override
    protected void implCloseSelectableChannel() throws IOException {
        closing.close();
    }

    // ---- options and addresses ----

    @Override
    public <T> SocketChannel setOption(SocketOption<T> name, T value) throws IOException {
        options.set(name, value);
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        return options.get(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return options.supported();
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
        KernelSocket kernel = state.kernel;
        if (kernel != null) {
            return kernel.localAddress();
        }
        synchronized (state) {
            return state.localAddress;
        }
    }

    /** Null before a connect; still there after a close. */
    @Nullable
    InetSocketAddress remoteAddress() {
        KernelSocket kernel = state.kernel;
        if (kernel != null) {
            return kernel.remoteAddress();
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
        KernelSocket kernel = state.kernel;
        return kernel != null ? kernel.blockingRead(target, timeoutMs) : input.blockingRead(target, timeoutMs);
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
            KernelSocket kernel = state.kernel;
            return kernel != null ? kernel.available() : input.available();
        }
    }

    /** One byte of urgent data; false when there is no room and the channel does not block. */
    boolean writeUrgent(byte value) throws IOException {
        KernelSocket kernel = state.kernel;
        if (kernel == null) {
            return output.writeUrgent(value);
        }
        kernel.writeUrgent(value); // says by itself when there is no room
        return true;
    }

    // ---- for keys and selectors ----

    @Override
    public int readyOps(int interest) {
        return state.readyOps(interest);
    }

    @Override
    public Registrations registrations() {
        return registrations;
    }

    @Override
    public @Nullable SelectableChannel kernelChannel() {
        KernelSocket kernel = state.kernel;
        return kernel == null ? null : kernel.channel();
    }

    @Override
    public boolean mayUseStack() {
        return state.kernel == null;
    }

    @Override
    protected void implConfigureBlocking(boolean block) throws IOException {
        locks.lockBoth();
        try {
            KernelSocket kernel;
            synchronized (state) {
                ensureOpen();
                kernel = state.kernel;
            }
            if (kernel != null) {
                registrations.leaveKernelIfCancelled();
                kernel.channel().configureBlocking(block);
            }
        } finally {
            locks.unlockBoth();
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
