package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.driver.Shard;
import dev.millrace.provider.nio.DatagramState.Phase;
import dev.millrace.provider.routing.Route;
import dev.millrace.stack.udp.UdpSocket;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ProtocolFamily;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.MembershipKey;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A datagram channel that is bound on the stack, on the kernel, or, at a wildcard or loopback address or when it is used unbound, on both: then
 * it receives from both, and each datagram leaves from the side that leads to its destination. Connected, it is on its peer's side alone. Group
 * memberships and the values of options are those of a kernel socket that every channel has behind it, as Onload's have; bound to an
 * address of the link, it is used for nothing else.
 *
 * <p>Its roles are {@link DatagramInput}, {@link DatagramOutput}, {@link DatagramBinding} and {@link DatagramConnect}; what they share is
 * {@link DatagramState}.
 *
 * <p>Locks, in this order: the input's (held by the one thread that receives, binds or connects), the output's (sends, binds or connects),
 * the state's monitor (never held while waiting). Closing follows the protocol of {@link SocketClosing}. A kernel socket beside a stack
 * socket is always in non-blocking mode; one that everything is delegated to has the channel's mode.
 */
public final class StackDatagramChannel extends DatagramChannel implements StackEndpoint {
    private static final ByteBuffer[] NONE = {};

    private final Driver driver;
    private final ProtocolFamily family;
    private final Registrations registrations = new Registrations();
    private final DatagramState state;
    private final DatagramBinding binding;
    private final DatagramInput input;
    private final DatagramOutput output;
    private final DatagramConnect connection;

    // guarded by state
    private @Nullable DatagramSocket adaptor;

    /**
     * An unbound channel; {@code family} is INET or INET6.
     *
     * @throws IOException when there is no kernel socket to be had
     */
    public StackDatagramChannel(Runtime runtime, ProtocolFamily family) throws IOException {
        super(runtime.provider());
        this.driver = runtime.driver();
        this.family = family;
        this.state = new DatagramState(runtime.kernel().openDatagramChannel(family));
        this.binding = new DatagramBinding(runtime, family, state, registrations);
        this.input = new DatagramInput(this, state, runtime);
        this.output = new DatagramOutput(this, state, binding, runtime);
        this.connection = new DatagramConnect(runtime, state, binding);
    }

    // ---- receiving ----

    @Override
    public @Nullable SocketAddress receive(ByteBuffer target) throws IOException {
        return receive(target, DatagramInput.NO_TIMEOUT);
    }

    /** As {@link #receive}, given up after a time unless the kernel has it all. */
    @Nullable
    SocketAddress receive(ByteBuffer target, long timeoutNs) throws IOException {
        DatagramChannel delegate = state.delegate();
        if (delegate != null) {
            try {
                return delegate.receive(target);
            } finally {
                closeWith(delegate);
            }
        }
        return input.receive(target, timeoutNs);
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        Objects.requireNonNull(target);
        DatagramChannel delegate = state.delegate();
        if (delegate != null) {
            try {
                return delegate.read(target);
            } finally {
                closeWith(delegate);
            }
        }
        return (int) input.read(target, NONE, 0, 0);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, targets.length);
        DatagramChannel delegate = state.delegate();
        if (delegate != null) {
            try {
                return delegate.read(targets, offset, length);
            } finally {
                closeWith(delegate);
            }
        }
        return input.read(null, targets, offset, length);
    }

    // ---- sending ----

    @Override
    public int send(ByteBuffer source, SocketAddress target) throws IOException {
        Objects.requireNonNull(source);
        InetSocketAddress checked = Addresses.check(target, family);
        DatagramChannel delegate = state.delegate();
        if (delegate != null) {
            try {
                return delegate.send(source, target);
            } finally {
                closeWith(delegate);
            }
        }
        return output.send(source, checked);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        Objects.requireNonNull(source);
        DatagramChannel delegate = state.delegate();
        if (delegate != null) {
            try {
                return delegate.write(source);
            } finally {
                closeWith(delegate);
            }
        }
        return (int) output.write(source, NONE, 0, 0);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, sources.length);
        DatagramChannel delegate = state.delegate();
        if (delegate != null) {
            try {
                return delegate.write(sources, offset, length);
            } finally {
                closeWith(delegate);
            }
        }
        return output.write(null, sources, offset, length);
    }

    // ---- for the roles ----

    /**
     * Sees to it that what was sent leaves soon: the thread that selects for this channel will drive the stack when it selects again; any other
     * has to have it done now.
     */
    void requestTurn(UdpSocket socket) {
        if (!registrations.isSelectedBy(Thread.currentThread())) {
            driver.nudge(driver.shards()[socket.home()]);
        }
    }

    /** A thread that polls a channel without any selector is the only one that could drive the stack for it; datagrams come to any core. */
    void driveIfUnselected() {
        if (registrations.keys().length == 0) {
            for (Shard shard : driver.shards()) {
                driver.nudge(shard);
            }
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
    public DatagramChannel bind(@Nullable SocketAddress local) throws IOException {
        lockBoth();
        try {
            synchronized (state) {
                ensureOpen();
                if (state.bound != null) {
                    throw new AlreadyBoundException();
                }
                InetSocketAddress checked = Addresses.checkLocal(local, family);
                binding.bind(checked);
            }
            sidesChanged();
        } finally {
            unlockBoth();
        }
        return this;
    }

    /** Before the first use; true if that was now. Holding the state's monitor. */
    boolean bindIfUnbound() throws IOException {
        if (state.bound != null) {
            return false;
        }
        binding.bindUnnamed();
        return true;
    }

    /** Keys look at the kernel's side and at the stack's again. Without the state's monitor. */
    void sidesChanged() {
        for (MillraceKey key : registrations.keys()) {
            key.owner().kernelMayHaveCome(key, this);
        }
        registrations.onReadiness();
    }

    @Override
    public DatagramChannel connect(SocketAddress remote) throws IOException {
        connect(remote, true);
        return this;
    }

    /** @param once whether to refuse when it is connected already, as the channel does and its socket adaptor does not */
    void connect(SocketAddress remote, boolean once) throws IOException {
        InetSocketAddress checked = Addresses.check(remote, family);
        lockBoth();
        try {
            boolean connected = isConnected();
            synchronized (state) {
                ensureOpen();
                if (once && connected) {
                    throw new AlreadyConnectedException();
                }
                if (checked.getPort() == 0) {
                    throw new SocketException("Can't connect to port 0");
                }
                bindIfUnbound();
            }
            if (connected) {
                connection.disconnect();
            }
            connection.connect(checked);
            sidesChanged();
        } finally {
            unlockBoth();
        }
    }

    @Override
    public DatagramChannel disconnect() throws IOException {
        lockBoth();
        try {
            if (isOpen() && isConnected()) {
                connection.disconnect();
                sidesChanged();
            }
        } finally {
            unlockBoth();
        }
        return this;
    }

    @Override
    public boolean isConnected() {
        return state.remoteAddress != null;
    }

    private void lockBoth() {
        input.lock.lock();
        output.lock.lock();
    }

    private void unlockBoth() {
        output.lock.unlock();
        input.lock.unlock();
    }

    // ---- groups, which are the kernel's ----

    @Override
    public MembershipKey join(InetAddress group, NetworkInterface device) throws IOException {
        return new KernelMembership(this, state.kernel.join(group, device));
    }

    @Override
    public MembershipKey join(InetAddress group, NetworkInterface device, InetAddress source) throws IOException {
        return new KernelMembership(this, state.kernel.join(group, device, source));
    }

    // ---- closing ----

    @Override
    protected void implCloseSelectableChannel() throws IOException {
        boolean release = false;
        boolean blocking = isBlocking();
        synchronized (state) {
            if (state.bound == Route.KERNEL) {
                state.phase = Phase.CLOSED;
            } else {
                state.phase = Phase.CLOSING;
                release = blocking && state.isLastToLeave();
            }
        }
        if (state.delegate() != null) {
            state.kernel.close();
        } else if (!blocking) {
            closeAfterOperations();
        } else if (release) {
            release();
        } else {
            registrations.signalWaiters();
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

    /** Gives up whatever this channel holds; what was sent still leaves. Once, by whoever closes it or leaves it last. */
    void release() throws IOException {
        UdpSocket socket = state.udp;
        if (socket != null) {
            socket.close();
            for (Shard shard : driver.shards()) {
                driver.nudge(shard);
            }
        }
        try {
            state.kernel.close();
        } finally {
            input.close();
            output.close();
        }
    }

    /** A kernel channel that an interrupt has closed takes this channel with it. */
    private void closeWith(DatagramChannel delegate) throws IOException {
        if (!delegate.isOpen()) {
            close();
        }
    }

    // ---- options and addresses ----

    @Override
    public <T> DatagramChannel setOption(SocketOption<T> name, T value) throws IOException {
        synchronized (state) {
            checkOption(name);
            state.kernel.setOption(name, value);
            UdpSocket socket = state.udp;
            if (socket != null) {
                binding.applyOptions(socket.options());
            }
        }
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        synchronized (state) {
            checkOption(name);
            return state.kernel.getOption(name);
        }
    }

    /** The rest is checked by the kernel's channel, which is open for as long as a thread is blocked in this one. */
    private void checkOption(SocketOption<?> name) throws ClosedChannelException {
        if (supportedOptions().contains(Objects.requireNonNull(name))) {
            ensureOpen();
        }
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return state.kernel.supportedOptions();
    }

    @Override
    public @Nullable SocketAddress getLocalAddress() throws IOException {
        synchronized (state) {
            ensureOpen();
            return state.localAddress;
        }
    }

    @Override
    public @Nullable SocketAddress getRemoteAddress() throws IOException {
        synchronized (state) {
            ensureOpen();
            return state.remoteAddress;
        }
    }

    /** Null while unbound; still there after a close. */
    @Nullable
    InetSocketAddress localAddress() {
        synchronized (state) {
            return state.localAddress;
        }
    }

    /** Null while unconnected; still there after a close. */
    @Nullable
    InetSocketAddress remoteAddress() {
        return state.remoteAddress;
    }

    @Override
    public DatagramSocket socket() {
        synchronized (state) {
            if (adaptor == null) {
                adaptor = new DatagramSocketAdaptor(this, state.kernel.socket());
            }
            return adaptor;
        }
    }

    /** The kernel's channel, if it has it all. */
    @Nullable
    DatagramChannel delegate() {
        return state.delegate();
    }

    // ---- for keys and selectors ----

    @Override
    public int readyOps(int interest) {
        Route sides = state.sides;
        if (sides == null) {
            return interest & SelectionKey.OP_WRITE; // sending would bind it
        }
        UdpSocket socket = state.udp;
        if (interest == 0 || socket == null || sides == Route.KERNEL || state.phase != Phase.OPEN) {
            return 0;
        }
        int readiness = socket.readiness();
        if ((readiness & UdpSocket.FAILED) != 0) {
            return interest;
        }
        int ops = (readiness & UdpSocket.READABLE) != 0 ? SelectionKey.OP_READ : 0;
        return interest & ((readiness & UdpSocket.WRITABLE) != 0 ? ops | SelectionKey.OP_WRITE : ops);
    }

    @Override
    public Registrations registrations() {
        return registrations;
    }

    @Override
    public @Nullable SelectableChannel kernelChannel() {
        Route bound = state.bound;
        return bound == null || bound == Route.STACK ? null : state.kernel;
    }

    /** Of both sides it is the stack's that tells when there is space: the kernel's hardly ever lacks it. */
    @Override
    public int kernelInterest(int interest) {
        Route sides = state.sides;
        if (sides == Route.KERNEL) {
            return interest;
        }
        return sides == Route.BOTH ? interest & ~SelectionKey.OP_WRITE : 0;
    }

    @Override
    public boolean mayUseStack() {
        return state.bound != Route.KERNEL;
    }

    @Override
    protected void implConfigureBlocking(boolean block) throws IOException {
        lockBoth();
        try {
            synchronized (state) {
                ensureOpen();
                if (state.bound != Route.BOTH) {
                    registrations.leaveKernelIfCancelled();
                    state.kernel.configureBlocking(block);
                }
            }
        } finally {
            unlockBoth();
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(DatagramChannel.class.getName()).append('[');
        if (!isOpen()) {
            return text.append("closed]").toString();
        }
        InetSocketAddress local = localAddress();
        InetSocketAddress remote = remoteAddress();
        return text.append(local == null ? "unbound" : "local=" + local)
                .append(remote == null ? "" : " remote=" + remote)
                .append(']')
                .toString();
    }
}
