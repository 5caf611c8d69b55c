package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.driver.Shard;
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
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A datagram channel that is bound on the stack, on the kernel, or, at a wildcard or loopback address or when it is used unbound, on both: then
 * it receives from both, and each datagram leaves from the side that leads to its destination. Connected, it is on its peer's side alone. Group
 * memberships and the values of options are those of a kernel socket that every channel has behind it, as Onload's have; bound to an
 * address of the link, it is used for nothing else.
 *
 * <p>This class is the channel's face; the work is done by its roles, which share {@link DatagramState}: {@link DatagramInput},
 * {@link DatagramOutput}, {@link DatagramBinding}, {@link DatagramConnect}, {@link DatagramClosing} and, when the kernel has it all, {@link KernelDatagrams}.
 *
 * <p>Locks, in this order: those of {@link SideLocks}, the input's (held by the one thread that receives, binds or connects), then the output's
 * (sends, binds or connects); then the state's monitor (never held while waiting). A kernel socket beside a stack socket is always in
 * non-blocking mode; one that everything is delegated to has the channel's mode.
 */
public final class StackDatagramChannel extends DatagramChannel implements StackEndpoint {
    private static final ByteBuffer[] NONE = {};

    private final Driver driver;
    private final ProtocolFamily family;
    private final Registrations registrations = new Registrations();
    private final DatagramState state;
    private final SideLocks locks = new SideLocks();
    private final KernelDatagrams kernel;
    private final DatagramBinding binding;
    private final DatagramClosing closing;
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
        this.kernel = new KernelDatagrams(this, state.kernel);
        this.closing = new DatagramClosing(this, state, locks, driver);
        this.input = new DatagramInput(this, locks, state, closing, runtime);
        this.output = new DatagramOutput(this, locks, state, closing, binding, runtime);
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
        if (state.delegate() != null) {
            return kernel.receive(target);
        }
        return input.receive(target, timeoutNs);
    }

    @Override
    public int read(ByteBuffer target) throws IOException {
        Objects.requireNonNull(target);
        if (state.delegate() != null) {
            return kernel.read(target);
        }
        return (int) input.read(target, NONE, 0, 0);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, targets.length);
        if (state.delegate() != null) {
            return kernel.read(targets, offset, length);
        }
        return input.read(null, targets, offset, length);
    }

    // ---- sending ----

    @Override
    public int send(ByteBuffer source, SocketAddress target) throws IOException {
        Objects.requireNonNull(source);
        InetSocketAddress checked = Addresses.check(target, family);
        if (state.delegate() != null) {
            return kernel.send(source, target);
        }
        return output.send(source, checked);
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
        Objects.requireNonNull(source);
        if (state.delegate() != null) {
            return kernel.write(source);
        }
        return (int) output.write(source, NONE, 0, 0);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, sources.length);
        if (state.delegate() != null) {
            return kernel.write(sources, offset, length);
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
        locks.lockBoth();
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
            locks.unlockBoth();
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
        locks.lockBoth();
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
            locks.unlockBoth();
        }
    }

    @Override
    public DatagramChannel disconnect() throws IOException {
        locks.lockBoth();
        try {
            if (isOpen() && isConnected()) {
                connection.disconnect();
                sidesChanged();
            }
        } finally {
            locks.unlockBoth();
        }
        return this;
    }

    @Override
    public boolean isConnected() {
        return state.remoteAddress != null;
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
        closing.close();
    }

    /** Nobody sends or receives any more. Without the locks. */
    void closeSides() throws IOException {
        input.close();
        output.close();
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
        return state.readyOps(interest);
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

    @Override
    public int kernelInterest(int interest) {
        return state.kernelInterest(interest);
    }

    @Override
    public boolean mayUseStack() {
        return state.bound != Route.KERNEL;
    }

    @Override
    protected void implConfigureBlocking(boolean block) throws IOException {
        locks.lockBoth();
        try {
            synchronized (state) {
                ensureOpen();
                if (state.bound != Route.BOTH) {
                    registrations.leaveKernelIfCancelled();
                    state.kernel.configureBlocking(block);
                }
            }
        } finally {
            locks.unlockBoth();
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
