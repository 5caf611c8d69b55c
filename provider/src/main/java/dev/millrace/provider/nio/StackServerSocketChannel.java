package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.driver.Shard;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.NotYetBoundException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A listener on the stack, on the kernel, or, bound to a wildcard or loopback address, on both: whoever connects, from whichever side,
 * is accepted here. Connections from the kernel are the JDK's own channels.
 *
 * <p>Locks, in this order: that of {@link SocketAccept} (held by the one thread that accepts), {@code stateLock} (guards the fields below it;
 * never held while waiting). Closing follows the protocol of {@link ChannelClosing}. A kernel listener beside a stack listener is always
 * in non-blocking mode: a blocking accept waits for both.
 */
public final class StackServerSocketChannel extends ServerSocketChannel implements StackEndpoint {
    private static final int OPEN = 0;
    private static final int CLOSING = 1;
    private static final int CLOSED = 2;

    private static final int DEFAULT_BACKLOG = 50;

    private final Runtime runtime;
    private final Driver driver;
    private final ProtocolFamily family;
    private final Registrations registrations = new Registrations();
    private final SocketAccept accept;
    private final Object stateLock = new Object();

    // written under stateLock, once; read by any thread
    private volatile @Nullable TcpAcceptor acceptor;
    private volatile @Nullable ServerSocketChannel kernel;

    // guarded by stateLock
    private final RecordedOptions options;
    private int state = OPEN;
    private @Nullable InetSocketAddress localAddress;
    private boolean accepting;
    private @Nullable ServerSocket adaptor;

    /** An unbound channel; {@code family} is INET or INET6. */
    public StackServerSocketChannel(Runtime runtime, ProtocolFamily family) {
        super(runtime.provider());
        this.runtime = runtime;
        this.driver = runtime.driver();
        this.family = family;
        this.options = new RecordedOptions(KernelOptions.server(runtime::kernel)).withListenerDefaults();
        this.accept = new SocketAccept(this, runtime);
    }

    // ---- binding ----

    @Override
    public ServerSocketChannel bind(@Nullable SocketAddress local, int backlog) throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            if (localAddress != null) {
                throw new AlreadyBoundException();
            }
            InetSocketAddress checked = Addresses.checkLocal(local, family);
            take(new ListenerSetUp(runtime, family, options, registrations, isBlocking())
                    .listen(checked, backlog < 1 ? DEFAULT_BACKLOG : backlog));
        }
        for (MillraceKey key : registrations.keys()) {
            key.owner().kernelMayHaveCome(key, this);
        }
        registrations.onReadiness();
        return this;
    }

    private void take(ListenerSetUp.Listening listening) {
        acceptor = listening.acceptor();
        kernel = listening.kernel();
        localAddress = listening.local();
    }

    // ---- accepting ----

    @Override
    public @Nullable SocketChannel accept() throws IOException {
        ServerSocketChannel delegate = kernelOnly();
        if (delegate != null) {
            try {
                return delegate.accept();
            } finally {
                closeWith(delegate);
            }
        }
        accept.lock.lock();
        try {
            ensureOpen();
            return isBlocking() ? accept.acceptBlocking(SocketAccept.NO_TIMEOUT) : accept.acceptNonBlocking();
        } finally {
            accept.lock.unlock();
        }
    }

    /** For the socket adaptor: in blocking mode only, and given up after a time. */
    @Nullable
    SocketChannel blockingAccept(int timeoutMs) throws IOException {
        ServerSocketChannel delegate = kernelOnly();
        if (delegate != null) {
            try {
                delegate.socket().setSoTimeout(timeoutMs);
                return delegate.socket().accept().getChannel();
            } finally {
                closeWith(delegate);
            }
        }
        accept.lock.lock();
        try {
            if (!isBlocking()) {
                throw new IllegalBlockingModeException();
            }
            return accept.acceptBlocking(timeoutMs * 1_000_000L);
        } finally {
            accept.lock.unlock();
        }
    }

    SocketChannel accepted(TcpSocket socket) {
        return StackSocketChannel.accepted(runtime, family, socket, options);
    }

    /** Has every core turned by its driver. */
    void nudgeAll() {
        for (Shard shard : driver.shards()) {
            driver.nudge(shard);
        }
    }

    /** As {@code begin}, for the role. */
    void enter() {
        begin();
    }

    TcpAcceptor beginAccept() throws ClosedChannelException {
        begin();
        synchronized (stateLock) {
            TcpAcceptor listener = boundAcceptor();
            accepting = true;
            return listener;
        }
    }

    void endAccept(boolean completed) throws IOException {
        boolean last;
        synchronized (stateLock) {
            accepting = false;
            last = isLastToLeave();
        }
        if (last) {
            release();
        }
        end(completed);
    }

    TcpAcceptor boundAcceptor() throws ClosedChannelException {
        ensureOpen();
        TcpAcceptor listener = acceptor;
        if (listener == null) {
            throw new NotYetBoundException();
        }
        return listener;
    }

    /** The kernel listener beside that of the stack, or instead of it; null while there is none. */
    @Nullable
    ServerSocketChannel kernelListener() {
        return kernel;
    }

    /** The kernel listener when there is no other. */
    private @Nullable ServerSocketChannel kernelOnly() {
        return acceptor == null ? kernel : null;
    }

    private void ensureOpen() throws ClosedChannelException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
    }

    // ---- closing ----

    @Override
    protected void implCloseSelectableChannel() throws IOException {
        boolean release = false;
        synchronized (stateLock) {
            state = CLOSING;
            if (isBlocking()) {
                release = isLastToLeave();
            }
        }
        if (!isBlocking()) {
            accept.lock.lock(); // waits for a running accept, which is short
            try {
                synchronized (stateLock) {
                    release = isLastToLeave();
                }
            } finally {
                accept.lock.unlock();
            }
        }
        if (release) {
            release();
        } else {
            registrations.signalWaiters();
        }
    }

    /** Whether the channel is closing and the caller is the one who has to {@link #release}. Holding stateLock. */
    private boolean isLastToLeave() {
        if (state != CLOSING || accepting) {
            return false;
        }
        state = CLOSED;
        return true;
    }

    /** Stops listening. Once, by whoever closes the channel or leaves it last. */
    private void release() throws IOException {
        TcpAcceptor listener = acceptor;
        if (listener != null) {
            listener.close();
            nudgeAll();
        }
        ServerSocketChannel delegate = kernel;
        try {
            if (delegate != null) {
                delegate.close();
            }
        } finally {
            accept.close();
        }
    }

    /** A kernel listener that an interrupt has closed takes this channel with it. */
    private void closeWith(ServerSocketChannel delegate) throws IOException {
        if (!delegate.isOpen()) {
            close();
        }
    }

    // ---- options and addresses ----

    @Override
    public <T> ServerSocketChannel setOption(SocketOption<T> name, T value) throws IOException {
        options.checkSettable(name, value);
        synchronized (stateLock) {
            ensureOpen();
            ServerSocketChannel delegate = kernel;
            if (delegate != null) {
                delegate.setOption(name, value);
            }
            options.set(name, value);
            TcpAcceptor listener = acceptor;
            if (listener != null) {
                options.applyTo(listener.options());
            }
        }
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        options.checkSupported(name);
        synchronized (stateLock) {
            ensureOpen();
            ServerSocketChannel delegate = kernelOnly();
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
            return localAddress;
        }
    }

    /** Null while unbound; still there after a close. */
    @Nullable
    InetSocketAddress localAddress() {
        synchronized (stateLock) {
            return localAddress;
        }
    }

    @Override
    public ServerSocket socket() {
        synchronized (stateLock) {
            if (adaptor == null) {
                try {
                    adaptor = new ServerSocketAdaptor(this);
                } catch (IOException e) {
                    throw new AssertionError("the constructor that takes a SocketImpl opens nothing", e);
                }
            }
            return adaptor;
        }
    }

    // ---- for keys and selectors ----

    @Override
    public int readyOps(int interest) {
        TcpAcceptor listener = acceptor;
        return listener != null && listener.hasPending() ? interest & SelectionKey.OP_ACCEPT : 0;
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
        return kernelOnly() == null;
    }

    @Override
    protected void implConfigureBlocking(boolean block) throws IOException {
        accept.lock.lock();
        try {
            ServerSocketChannel delegate;
            synchronized (stateLock) {
                ensureOpen();
                delegate = kernelOnly();
            }
            if (delegate != null) {
                registrations.leaveKernelIfCancelled();
                delegate.configureBlocking(block);
            }
        } finally {
            accept.lock.unlock();
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(ServerSocketChannel.class.getName()).append('[');
        if (!isOpen()) {
            return text.append("closed]").toString();
        }
        InetSocketAddress local = localAddress();
        return text.append(local == null ? "unbound" : local.toString())
                .append(']')
                .toString();
    }
}
