package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.routing.Decision;
import dev.millrace.provider.routing.Route;
import dev.millrace.stack.core.ConnectCall;
import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ConnectionPendingException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.NoConnectionPendingException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A socket channel that lives on the stack or on the kernel. Which, is decided when {@code bind} or {@code connect} names an address;
 * until then it records options. On the kernel it delegates to a JDK channel; on the stack it is a thin layer over a
 * {@link TcpSocket}.
 *
 * <p>Locks, in this order: {@code readLock} (held by the one thread that reads or connects), {@code writeLock} (writes or connects),
 * {@code stateLock} (guards the fields below it; never held while waiting).
 *
 * <p>Closing. In non-blocking mode operations are short, so close waits for the running ones through their locks, then gives the
 * connection up. In blocking mode it must not wait, for the blocked thread may itself be on its way into {@code close} after an interrupt:
 * it marks the channel, makes the blocked threads look, and the last of them to leave gives the connection up. In both cases
 * that happens at once and not when selectors let go of the channel: a connection of the stack has no descriptor that could be reused.
 */
public final class StackSocketChannel extends SocketChannel implements StackEndpoint {
    // states, in the order they are passed
    private static final int UNCONNECTED = 0;
    private static final int PENDING = 1;
    private static final int CONNECTED = 2;
    private static final int CLOSING = 3;
    private static final int CLOSED = 4;

    private static final ByteBuffer[] NONE = {};
    private static final long NO_TIMEOUT = Long.MAX_VALUE;

    private final Runtime runtime;
    private final Driver driver;
    private final ProtocolFamily family;
    private final Registrations registrations = new Registrations();
    private final ConnectionFailure failure = new ConnectionFailure();
    private final ReentrantLock readLock = new ReentrantLock();
    private final ReentrantLock writeLock = new ReentrantLock();
    private final Object stateLock = new Object();

    // written under stateLock, read by any thread
    private volatile int state = UNCONNECTED;
    private volatile boolean inputShut;
    private volatile boolean outputShut;
    private volatile @Nullable TcpSocket tcp;
    private volatile @Nullable SocketChannel kernel;

    // guarded by stateLock
    private final RecordedOptions options;
    private @Nullable InetSocketAddress localAddress;
    private @Nullable InetSocketAddress remoteAddress;
    /** What an explicit bind reserved: on the stack, on the kernel, or on both until connect decides. */
    private @Nullable LocalBinding stackBinding;

    private @Nullable SocketChannel kernelBinding;
    /** A blocking-mode operation is in progress that close leaves the rest to. */
    private boolean reading;

    private boolean writing;
    private @Nullable Socket adaptor;

    // guarded by readLock and writeLock
    private @Nullable ReadinessWaiter readWaiter;
    private @Nullable ReadinessWaiter writeWaiter;

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
    }

    /** An accepted connection. */
    static StackSocketChannel accepted(
            Runtime runtime, ProtocolFamily family, TcpSocket socket, RecordedOptions listenerOptions) {
        RecordedOptions inherited = listenerOptions.inherited(KernelOptions.client(runtime::kernel));
        StackSocketChannel channel = new StackSocketChannel(runtime, family, inherited);
        synchronized (channel.stateLock) {
            channel.localAddress = Addresses.socketAddress(socket.localAddress(), socket.localPort());
            channel.remoteAddress = Addresses.socketAddress(socket.remoteAddress(), socket.remotePort());
            channel.tcp = socket;
            channel.state = CONNECTED;
        }
        socket.observer(channel.registrations);
        return channel;
    }

    // ---- reading ----

    @Override
    public int read(ByteBuffer target) throws IOException {
        SocketChannel delegate = kernel;
        if (delegate != null) {
            try {
                return delegate.read(target);
            } finally {
                closeWith(delegate);
            }
        }
        ByteTransfer.checkWritable(target);
        return (int) readStack(target, NONE, 0, 0, NO_TIMEOUT);
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, targets.length);
        SocketChannel delegate = kernel;
        if (delegate != null) {
            try {
                return delegate.read(targets, offset, length);
            } finally {
                closeWith(delegate);
            }
        }
        ByteTransfer.checkWritable(targets, offset, length);
        return readStack(null, targets, offset, length, NO_TIMEOUT);
    }

    /** Reads into {@code one} or, if that is null, into {@code many}. */
    private long readStack(@Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length, long timeoutNs)
            throws IOException {
        readLock.lock();
        try {
            TcpSocket socket = connectedSocket();
            return isBlocking()
                    ? readBlocking(socket, one, many, offset, length, timeoutNs)
                    : readNonBlocking(socket, one, many, offset, length);
        } finally {
            readLock.unlock();
        }
    }

    private long readNonBlocking(TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length)
            throws IOException {
        long count = readNow(socket, one, many, offset, length);
        if (count == 0) {
            driveIfUnselected(socket);
        }
        return count;
    }

    private long readBlocking(
            TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length, long timeoutNs)
            throws IOException {
        long count = 0;
        try {
            beginRead();
            count = readNow(socket, one, many, offset, length);
            if (count == 0 && hasRemaining(one, many, offset, length)) {
                long deadlineNs = deadline(timeoutNs);
                while (count == 0 && isOpen() && !inputShut) {
                    awaitReading(socket, TcpSocket.READABLE | TcpSocket.PEER_CLOSED, deadlineNs, "Read timed out");
                    count = readNow(socket, one, many, offset, length);
                }
            }
        } finally {
            endRead(count > 0);
        }
        return count <= 0 && inputShut ? TcpSocket.END : count;
    }

    private long readNow(TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length)
            throws IOException {
        if (inputShut) {
            return TcpSocket.END;
        }
        long count = one != null ? ByteTransfer.read(socket, one) : ByteTransfer.scatter(socket, many, offset, length);
        return count == TcpSocket.ERROR ? failure.onRead(socket) : count;
    }

    private static boolean hasRemaining(@Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length) {
        return one != null ? one.hasRemaining() : ByteTransfer.hasRemaining(many, offset, length);
    }

    /** Waits for any of these readiness bits, or failure, or for the channel to be closed. Holding readLock. */
    private void awaitReading(TcpSocket socket, int bits, long deadlineNs, String timeoutText)
            throws SocketTimeoutException {
        ReadinessWaiter waiter = readWaiter;
        if (waiter == null) {
            waiter = new ReadinessWaiter(() -> !isOpen() || inputShut);
            readWaiter = waiter;
            registrations.reader(waiter);
        }
        boolean satisfied = driver.await(waiter.forAny(socket, bits | TcpSocket.FAILED), deadlineNs);
        if (!satisfied && deadlineNs != NO_TIMEOUT && System.nanoTime() - deadlineNs >= 0) {
            throw new SocketTimeoutException(timeoutText);
        }
    }

    private static long deadline(long timeoutNs) {
        return timeoutNs == NO_TIMEOUT ? NO_TIMEOUT : System.nanoTime() + timeoutNs;
    }

    private void beginRead() throws ClosedChannelException {
        begin();
        synchronized (stateLock) {
            ensureOpen();
            reading = true;
        }
    }

    private void endRead(boolean completed) throws IOException {
        boolean last;
        synchronized (stateLock) {
            reading = false;
            last = isLastToLeave();
        }
        if (last) {
            release();
        }
        end(completed);
    }

    // ---- writing ----

    @Override
    public int write(ByteBuffer source) throws IOException {
        SocketChannel delegate = kernel;
        if (delegate != null) {
            try {
                return delegate.write(source);
            } finally {
                closeWith(delegate);
            }
        }
        return (int) writeStack(Objects.requireNonNull(source), NONE, 0, 0);
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, sources.length);
        SocketChannel delegate = kernel;
        if (delegate != null) {
            try {
                return delegate.write(sources, offset, length);
            } finally {
                closeWith(delegate);
            }
        }
        return writeStack(null, sources, offset, length);
    }

    private long writeStack(@Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length) throws IOException {
        writeLock.lock();
        try {
            TcpSocket socket = connectedSocket();
            return isBlocking()
                    ? writeBlocking(socket, one, many, offset, length)
                    : writeNonBlocking(socket, one, many, offset, length);
        } finally {
            writeLock.unlock();
        }
    }

    private long writeNonBlocking(TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length)
            throws IOException {
        long count = writeNow(socket, one, many, offset, length);
        if (count > 0) {
            requestTurn(socket);
        } else if (outputShut) {
            throw new AsynchronousCloseException();
        } else if (count < 0) {
            throw failure.onWrite(socket);
        } else {
            driveIfUnselected(socket);
        }
        return count;
    }

    private long writeBlocking(TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length)
            throws IOException {
        long total = 0;
        try {
            beginWrite();
            while (isOpen() && !outputShut && hasRemaining(one, many, offset, length)) {
                long count = writeNow(socket, one, many, offset, length);
                if (count > 0) {
                    total += count;
                    driver.nudge(driver.shards()[socket.shard()]);
                } else if (count == 0) {
                    awaitWriting(socket);
                } else if (total == 0 && !outputShut) {
                    throw failure.onWrite(socket);
                } else {
                    break; // what was taken is reported now, why no more was by the next write
                }
            }
        } finally {
            endWrite(total > 0);
        }
        if (total == 0 && outputShut) {
            throw new AsynchronousCloseException();
        }
        return total;
    }

    private static long writeNow(
            TcpSocket socket, @Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length) {
        return one != null ? ByteTransfer.write(socket, one) : ByteTransfer.gather(socket, many, offset, length);
    }

    private void awaitWriting(TcpSocket socket) {
        ReadinessWaiter waiter = writeWaiter;
        if (waiter == null) {
            waiter = new ReadinessWaiter(() -> !isOpen() || outputShut);
            writeWaiter = waiter;
            registrations.writer(waiter);
        }
        driver.await(waiter.forAny(socket, TcpSocket.WRITABLE | TcpSocket.FAILED), NO_TIMEOUT);
    }

    private void beginWrite() throws ClosedChannelException {
        begin();
        synchronized (stateLock) {
            ensureOpen();
            if (outputShut) {
                throw new ClosedChannelException();
            }
            writing = true;
        }
    }

    private void endWrite(boolean completed) throws IOException {
        boolean last;
        synchronized (stateLock) {
            writing = false;
            last = isLastToLeave();
        }
        if (last) {
            release();
        }
        end(completed);
    }

    /**
     * Sees to it that what was asked of the connection leaves soon: the thread that selects for this channel will drive the stack
     * when it selects again, and send everything at once; any other has to have it done now.
     */
    private void requestTurn(TcpSocket socket) {
        if (!registrations.isSelectedBy(Thread.currentThread())) {
            driver.nudge(driver.shards()[socket.shard()]);
        }
    }

    /** A thread that polls a channel without any selector is the only one that could drive the stack for it. */
    private void driveIfUnselected(TcpSocket socket) {
        if (registrations.keys().length == 0) {
            driver.nudge(driver.shards()[socket.shard()]);
        }
    }

    /** @throws NotYetConnectedException or ClosedChannelException unless connected */
    private TcpSocket connectedSocket() throws ClosedChannelException {
        int now = state;
        TcpSocket socket = tcp;
        if (now < CONNECTED || socket == null) {
            throw new NotYetConnectedException();
        }
        if (now > CONNECTED) {
            throw new ClosedChannelException();
        }
        return socket;
    }

    private void ensureOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }

    // ---- binding and connecting ----

    @Override
    public SocketChannel bind(@Nullable SocketAddress local) throws IOException {
        lockBoth();
        try {
            synchronized (stateLock) {
                ensureOpen();
                if (isConnectionPending()) {
                    throw new ConnectionPendingException();
                }
                if (kernel != null || localAddress != null) {
                    throw new AlreadyBoundException();
                }
                bindTo(Addresses.checkLocal(local, family));
            }
        } finally {
            unlockBoth();
        }
        return this;
    }

    private void bindTo(InetSocketAddress local) throws IOException {
        switch (runtime.router().bind(local).route()) {
            case STACK -> {
                try {
                    LocalBinding binding =
                            runtime.stack().bind(Addresses.ip(local), local.getPort(), optionsForStack());
                    stackBinding = binding;
                    localAddress = new InetSocketAddress(local.getAddress(), binding.port());
                } catch (TcpException e) {
                    throw SocketErrors.setUp(e);
                }
            }
            case KERNEL -> {
                SocketChannel channel = openKernel(local);
                kernelBinding = channel;
                localAddress = (InetSocketAddress) channel.getLocalAddress();
            }
            case BOTH -> {
                SharedPort<SocketChannel> port =
                        SharedPort.bind(runtime.stack(), local, optionsForStack(), this::openKernel);
                kernelBinding = port.kernel();
                stackBinding = port.stack();
                localAddress = port.local();
            }
        }
    }

    private TcpOptions optionsForStack() {
        TcpOptions wanted = new TcpOptions();
        options.applyTo(wanted);
        return wanted;
    }

    /** A kernel channel with this channel's options, bound if {@code local} is given. */
    private SocketChannel openKernel(@Nullable InetSocketAddress local) throws IOException {
        SocketChannel channel = runtime.kernel().openSocketChannel(family);
        boolean done = false;
        try {
            options.replayTo(channel);
            if (local != null) {
                channel.bind(local);
            }
            done = true;
        } finally {
            if (!done) {
                channel.close();
            }
        }
        return channel;
    }

    @Override
    public boolean connect(SocketAddress remote) throws IOException {
        return connect(Addresses.checkRemote(remote, family), NO_TIMEOUT, false);
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
                    return connectOverStack(remote, timeoutNs);
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

    /** Decides where this channel lives from now on: the kernel channel to delegate to, or null for the stack. */
    private @Nullable SocketChannel route(InetSocketAddress remote) throws IOException {
        SocketChannel chosen;
        SocketChannel notChosen;
        synchronized (stateLock) {
            ensureOpen();
            if (kernel != null || state != UNCONNECTED) {
                return kernel;
            }
            Decision decision = runtime.router().connect(remote, localAddress);
            boolean overStack = localAddress == null
                    ? decision.route() != Route.KERNEL
                    : stackBinding != null && (kernelBinding == null || decision.route() != Route.KERNEL);
            runtime.journal().opened("connect", remote, decision);
            if (overStack) {
                chosen = null;
                notChosen = kernelBinding;
            } else {
                chosen = kernelBinding == null ? openKernel(null) : kernelBinding;
                chosen.configureBlocking(isBlocking());
                notChosen = null;
                if (stackBinding != null) {
                    stackBinding.close();
                    stackBinding = null;
                }
                kernel = chosen;
            }
            kernelBinding = null;
        }
        if (notChosen != null) {
            notChosen.close();
        }
        return chosen;
    }

    private boolean connectOverKernel(SocketChannel delegate, InetSocketAddress remote, long timeoutNs)
            throws IOException {
        try {
            boolean connected = true;
            if (timeoutNs == NO_TIMEOUT) {
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

    private boolean connectOverStack(InetSocketAddress remote, long timeoutNs) throws IOException {
        boolean blocking = isBlocking();
        boolean connected = false;
        try {
            beginConnect(remote, blocking);
            TcpSocket socket = startConnect(remote);
            if (blocking) {
                connected = awaitConnected(socket, deadline(timeoutNs));
            }
        } finally {
            endConnect(blocking, connected);
        }
        return connected;
    }

    private void beginConnect(InetSocketAddress remote, boolean blocking) throws ClosedChannelException {
        if (blocking) {
            begin();
        }
        synchronized (stateLock) {
            ensureOpen();
            if (state == CONNECTED) {
                throw new AlreadyConnectedException();
            }
            if (state == PENDING) {
                throw new ConnectionPendingException();
            }
            state = PENDING;
            remoteAddress = remote;
            reading = blocking;
        }
    }

    private TcpSocket startConnect(InetSocketAddress remote) throws IOException {
        LocalBinding binding;
        TcpOptions wanted;
        synchronized (stateLock) {
            binding = stackBinding;
            stackBinding = null; // the connection takes it over
            wanted = optionsForStack();
        }
        ConnectCall call =
                runtime.stack().connect(binding, Addresses.ip(remote), remote.getPort(), wanted, registrations);
        CallWaiter.perform(call, driver);
        if (call.error() != TcpError.NONE) {
            throw SocketErrors.setUp(call.error());
        }
        TcpSocket socket = call.result();
        synchronized (stateLock) {
            tcp = socket;
        }
        return socket;
    }

    private boolean awaitConnected(TcpSocket socket, long deadlineNs) throws IOException {
        while (isOpen()) {
            if (isEstablished(socket)) {
                return true;
            }
            awaitReading(socket, TcpSocket.CONNECTED, deadlineNs, "Connect timed out");
        }
        return false;
    }

    private static boolean isEstablished(TcpSocket socket) throws IOException {
        int readiness = socket.readiness();
        if ((readiness & TcpSocket.CONNECTED) != 0) {
            return true; // what failed later is for read and write to report
        }
        if ((readiness & TcpSocket.FAILED) != 0) {
            throw SocketErrors.setUp(socket.error());
        }
        return false;
    }

    private void endConnect(boolean blocking, boolean connected) throws IOException {
        if (blocking) {
            endRead(connected);
        }
        if (!connected) {
            return;
        }
        synchronized (stateLock) {
            TcpSocket socket = tcp;
            if (state == PENDING && socket != null) {
                localAddress = Addresses.socketAddress(socket.localAddress(), socket.localPort());
                state = CONNECTED;
            }
        }
        registrations.onReadiness(); // keys wait for other operations now
    }

    @Override
    public boolean finishConnect() throws IOException {
        SocketChannel delegate = kernel;
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
            if (state == CONNECTED) {
                return true;
            }
            boolean blocking = isBlocking();
            boolean connected = false;
            try {
                TcpSocket socket = beginFinishConnect(blocking);
                if (blocking) {
                    connected = awaitConnected(socket, NO_TIMEOUT);
                } else {
                    connected = isEstablished(socket);
                    if (!connected) {
                        driveIfUnselected(socket);
                    }
                }
            } finally {
                endConnect(blocking, connected);
            }
            return connected;
        } finally {
            unlockBoth();
        }
    }

    private TcpSocket beginFinishConnect(boolean blocking) throws ClosedChannelException {
        if (blocking) {
            begin();
        }
        synchronized (stateLock) {
            ensureOpen();
            TcpSocket socket = tcp;
            if (state != PENDING || socket == null) {
                throw new NoConnectionPendingException();
            }
            reading = blocking;
            return socket;
        }
    }

    private void lockBoth() {
        readLock.lock();
        writeLock.lock();
    }

    private void unlockBoth() {
        writeLock.unlock();
        readLock.unlock();
    }

    @Override
    public boolean isConnected() {
        SocketChannel delegate = kernel;
        return delegate != null ? delegate.isConnected() : state == CONNECTED;
    }

    @Override
    public boolean isConnectionPending() {
        SocketChannel delegate = kernel;
        return delegate != null ? delegate.isConnectionPending() : state == PENDING;
    }

    // ---- shutting down and closing ----

    @Override
    public SocketChannel shutdownInput() throws IOException {
        SocketChannel delegate = kernel;
        TcpSocket socket;
        synchronized (stateLock) {
            ensureOpen();
            if (!isConnected()) {
                throw new NotYetConnectedException();
            }
            socket = tcp;
            if (delegate != null) {
                delegate.shutdownInput();
            } else if (!inputShut && socket != null) {
                socket.shutdownInput();
            }
            inputShut = true;
        }
        if (socket != null) {
            registrations.onReadiness();
        }
        return this;
    }

    @Override
    public SocketChannel shutdownOutput() throws IOException {
        SocketChannel delegate = kernel;
        TcpSocket socket;
        synchronized (stateLock) {
            ensureOpen();
            if (!isConnected()) {
                throw new NotYetConnectedException();
            }
            socket = tcp;
            if (delegate != null) {
                delegate.shutdownOutput();
            } else if (!outputShut && socket != null) {
                socket.shutdownOutput();
            }
            outputShut = true;
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
        synchronized (stateLock) {
            delegate = kernel;
            state = delegate == null ? CLOSING : CLOSED;
            if (delegate == null && isBlocking()) {
                release = isLastToLeave();
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
            synchronized (stateLock) {
                release = isLastToLeave();
            }
        } finally {
            unlockBoth();
        }
        if (release) {
            release();
        }
    }

    /** Whether the channel is closing and the caller is the one who has to {@link #release}. Holding stateLock. */
    private boolean isLastToLeave() {
        if (state != CLOSING || reading || writing) {
            return false;
        }
        state = CLOSED;
        return true;
    }

    /** Gives up whatever this channel holds. Once, by whoever closes it or leaves it last. */
    private void release() throws IOException {
        TcpSocket socket;
        SocketChannel reserved;
        int linger;
        synchronized (stateLock) {
            socket = tcp;
            reserved = kernelBinding;
            kernelBinding = null;
            linger = options.lingerSeconds();
            if (stackBinding != null) {
                stackBinding.close();
                stackBinding = null;
            }
        }
        if (socket != null) {
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
        if (reserved != null) {
            reserved.close();
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
        options.checkSettable(name, value);
        synchronized (stateLock) {
            ensureOpen();
            SocketChannel delegate = kernel;
            if (delegate != null) {
                delegate.setOption(name, value);
                return this;
            }
            options.set(name, value);
            SocketChannel reserved = kernelBinding;
            if (reserved != null) {
                reserved.setOption(name, value);
            }
            TcpSocket socket = tcp;
            if (socket != null) {
                options.applyTo(socket.options());
                socket.optionsChanged();
            }
        }
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        options.checkSupported(name);
        synchronized (stateLock) {
            ensureOpen();
            SocketChannel delegate = kernel;
            return delegate != null ? delegate.getOption(name) : options.get(name);
        }
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return options.supported();
    }

    @Override
    public @Nullable SocketAddress getLocalAddress() throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            return localAddress();
        }
    }

    @Override
    public @Nullable SocketAddress getRemoteAddress() throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            return remoteAddress();
        }
    }

    /** Null while unbound; still there after a close. */
    @Nullable
    InetSocketAddress localAddress() {
        SocketChannel delegate = kernel;
        if (delegate != null) {
            return (InetSocketAddress) delegate.socket().getLocalSocketAddress();
        }
        synchronized (stateLock) {
            return localAddress;
        }
    }

    /** Null before a connect; still there after a close. */
    @Nullable
    InetSocketAddress remoteAddress() {
        SocketChannel delegate = kernel;
        if (delegate != null) {
            return (InetSocketAddress) delegate.socket().getRemoteSocketAddress();
        }
        synchronized (stateLock) {
            return remoteAddress;
        }
    }

    // ---- for the socket adaptor ----

    @Override
    public Socket socket() {
        synchronized (stateLock) {
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
        return inputShut;
    }

    boolean isOutputShut() {
        return outputShut;
    }

    /** Reads some bytes in blocking mode; {@code timeoutMs} 0 for none. */
    int blockingRead(ByteBuffer target, int timeoutMs) throws IOException {
        SocketChannel delegate = kernel;
        if (delegate != null) {
            return readKernelSocket(delegate, target, timeoutMs);
        }
        if (!isBlocking()) {
            throw new IllegalBlockingModeException();
        }
        return (int) readStack(target, NONE, 0, 0, timeoutMs == 0 ? NO_TIMEOUT : timeoutMs * 1_000_000L);
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
        synchronized (stateLock) {
            SocketChannel delegate = kernel;
            if (delegate != null) {
                return delegate.socket().getInputStream().available();
            }
            TcpSocket socket = connectedSocket();
            return inputShut ? 0 : socket.readableBytes();
        }
    }

    /** Where urgent data would be sent: only the kernel's TCP can. */
    @Nullable
    SocketChannel kernelDelegate() {
        return kernel;
    }

    // ---- for keys and selectors ----

    @Override
    public int readyOps(int interest) {
        TcpSocket socket = tcp;
        if (interest == 0 || socket == null) {
            return 0;
        }
        int readiness = socket.readiness();
        if ((readiness & TcpSocket.FAILED) != 0) {
            return interest;
        }
        return switch (state) {
            case PENDING -> (readiness & TcpSocket.CONNECTED) != 0 ? interest & SelectionKey.OP_CONNECT : 0;
            case CONNECTED -> interest & transferOps(interest, readiness);
            default -> 0;
        };
    }

    private int transferOps(int interest, int readiness) {
        boolean noInput = inputShut;
        boolean noOutput = outputShut;
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
        return kernel;
    }

    @Override
    public boolean mayUseStack() {
        return kernel == null;
    }

    @Override
    protected void implConfigureBlocking(boolean block) throws IOException {
        lockBoth();
        try {
            SocketChannel delegate;
            synchronized (stateLock) {
                ensureOpen();
                delegate = kernel;
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
            text.append("connected").append(inputShut ? " ishut" : "").append(outputShut ? " oshut" : "");
        } else {
            text.append(isConnectionPending() ? "connection-pending" : "unconnected");
        }
        InetSocketAddress local = localAddress();
        InetSocketAddress remote = remoteAddress();
        text.append(local == null ? "" : " local=" + local).append(remote == null ? "" : " remote=" + remote);
        return text.append(']').toString();
    }
}
