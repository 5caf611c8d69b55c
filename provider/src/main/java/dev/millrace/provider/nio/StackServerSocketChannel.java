package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.driver.Shard;
import dev.millrace.provider.routing.Decision;
import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.IllegalBlockingModeException;
import java.nio.channels.NotYetBoundException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A listener on the stack, on the kernel, or, bound to a wildcard or loopback address, on both: whoever connects, from whichever side,
 * is accepted here. Connections from the kernel are the JDK's own channels.
 *
 * <p>Locks, in this order: {@code acceptLock} (held by the one thread that accepts), {@code stateLock} (guards the fields below it;
 * never held while waiting). Closing follows the protocol of {@link StackSocketChannel}. A kernel listener beside a stack listener is always
 * in non-blocking mode: a blocking accept waits for both.
 */
public final class StackServerSocketChannel extends ServerSocketChannel implements StackEndpoint {
    private static final int OPEN = 0;
    private static final int CLOSING = 1;
    private static final int CLOSED = 2;

    private static final long NO_TIMEOUT = Long.MAX_VALUE;
    private static final int DEFAULT_BACKLOG = 50;

    /** So often the kernel's connections come first, lest a busy stack starve them. */
    private static final int KERNEL_FIRST_EVERY = 16;

    private final Runtime runtime;
    private final Driver driver;
    private final ProtocolFamily family;
    private final Registrations registrations = new Registrations();
    private final ReentrantLock acceptLock = new ReentrantLock();
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

    // guarded by acceptLock
    private @Nullable AcceptWaiter waiter;
    private int accepts;

    /** An unbound channel; {@code family} is INET or INET6. */
    public StackServerSocketChannel(Runtime runtime, ProtocolFamily family) {
        super(runtime.provider());
        this.runtime = runtime;
        this.driver = runtime.driver();
        this.family = family;
        this.options = new RecordedOptions(KernelOptions.server(runtime::kernel)).withListenerDefaults();
    }

    // ---- binding ----

    @Override
    public ServerSocketChannel bind(@Nullable SocketAddress local, int backlog) throws IOException {
        synchronized (stateLock) {
            ensureOpen();
            if (localAddress != null) {
                throw new AlreadyBoundException();
            }
            listen(Addresses.checkLocal(local, family), backlog < 1 ? DEFAULT_BACKLOG : backlog);
        }
        for (MillraceKey key : registrations.keys()) {
            key.owner().kernelMayHaveCome(key, this);
        }
        registrations.onReadiness();
        return this;
    }

    private void listen(InetSocketAddress local, int backlog) throws IOException {
        Decision decision = runtime.router().bind(local);
        switch (decision.route()) {
            case STACK -> listenOnStack(local, backlog);
            case KERNEL -> {
                ServerSocketChannel listener = listenOnKernel(local, backlog);
                listener.configureBlocking(isBlocking());
                localAddress = (InetSocketAddress) listener.getLocalAddress();
                kernel = listener;
            }
            case BOTH -> listenOnBoth(local, backlog);
        }
        runtime.journal().opened("listen", localAddress == null ? local : localAddress, decision);
    }

    private void listenOnStack(InetSocketAddress local, int backlog) throws IOException {
        TcpOptions wanted = optionsForStack();
        try {
            LocalBinding binding = runtime.stack().bind(Addresses.ip(local), local.getPort(), wanted);
            acceptor = listen(binding, backlog, wanted);
            localAddress = new InetSocketAddress(local.getAddress(), binding.port());
        } catch (TcpException e) {
            throw SocketErrors.setUp(e);
        }
    }

    private TcpAcceptor listen(LocalBinding binding, int backlog, TcpOptions wanted) throws TcpException {
        try {
            return runtime.stack().listen(binding, backlog, wanted, registrations);
        } catch (TcpException e) {
            binding.close();
            throw e;
        }
    }

    private ServerSocketChannel listenOnKernel(InetSocketAddress local, int backlog) throws IOException {
        ServerSocketChannel listener = runtime.kernel().openServerSocketChannel(family);
        boolean done = false;
        try {
            options.replayTo(listener);
            listener.bind(local, backlog);
            done = true;
        } finally {
            if (!done) {
                listener.close();
            }
        }
        return listener;
    }

    private void listenOnBoth(InetSocketAddress local, int backlog) throws IOException {
        TcpOptions wanted = optionsForStack();
        SharedPort<ServerSocketChannel> port =
                SharedPort.bind(runtime.stack(), local, wanted, address -> listenOnKernel(address, backlog));
        boolean done = false;
        try {
            port.kernel().configureBlocking(false);
            acceptor = listen(port.stack(), backlog, wanted);
            kernel = port.kernel();
            localAddress = port.local();
            done = true;
        } catch (TcpException e) {
            throw SocketErrors.setUp(e);
        } finally {
            if (!done) {
                port.kernel().close();
            }
        }
    }

    private TcpOptions optionsForStack() {
        TcpOptions wanted = new TcpOptions();
        options.applyTo(wanted);
        return wanted;
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
        acceptLock.lock();
        try {
            ensureOpen();
            return isBlocking() ? acceptBlocking(NO_TIMEOUT) : acceptNonBlocking();
        } finally {
            acceptLock.unlock();
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
        acceptLock.lock();
        try {
            if (!isBlocking()) {
                throw new IllegalBlockingModeException();
            }
            return acceptBlocking(timeoutMs * 1_000_000L);
        } finally {
            acceptLock.unlock();
        }
    }

    private @Nullable SocketChannel acceptNonBlocking() throws IOException {
        TcpAcceptor listener;
        synchronized (stateLock) {
            ensureOpen();
            listener = boundAcceptor();
        }
        SocketChannel accepted = acceptNow(listener);
        if (accepted == null && registrations.keys().length == 0) {
            // a thread that polls without any selector is the only one that could drive the stack for it
            for (Shard shard : driver.shards()) {
                driver.nudge(shard);
            }
        }
        return accepted;
    }

    private @Nullable SocketChannel acceptBlocking(long timeoutNs) throws IOException {
        SocketChannel accepted = null;
        try {
            TcpAcceptor listener = beginAccept();
            long deadlineNs = timeoutNs == NO_TIMEOUT ? NO_TIMEOUT : System.nanoTime() + timeoutNs;
            accepted = acceptNow(listener);
            while (accepted == null && isOpen()) {
                awaitConnection(listener, deadlineNs);
                accepted = isOpen() ? acceptNow(listener) : null;
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        } finally {
            endAccept(accepted != null);
        }
        return accepted;
    }

    private @Nullable SocketChannel acceptNow(TcpAcceptor listener) throws IOException {
        ServerSocketChannel other = kernel;
        if (other != null && ++accepts % KERNEL_FIRST_EVERY == 0) {
            SocketChannel fromKernel = other.accept();
            if (fromKernel != null) {
                return fromKernel;
            }
        }
        TcpSocket socket = listener.accept();
        if (socket != null) {
            return StackSocketChannel.accepted(runtime, family, socket, options);
        }
        return other != null ? other.accept() : null;
    }

    private void awaitConnection(TcpAcceptor listener, long deadlineNs) throws IOException {
        AcceptWaiter current = waiter;
        if (current == null) {
            ServerSocketChannel other = kernel;
            current = other == null
                    ? AcceptWaiter.onStack(listener, () -> !isOpen())
                    : AcceptWaiter.onBoth(listener, other, runtime.kernel(), () -> !isOpen());
            waiter = current;
            registrations.reader(current);
        }
        boolean satisfied = driver.await(current.rearmed(), deadlineNs);
        if (kernel != null) {
            // sleeping in a selector has replaced what an interrupt does to this thread; if one came, this closes the
            // channel
            begin();
        }
        if (!satisfied && deadlineNs != NO_TIMEOUT && System.nanoTime() - deadlineNs >= 0) {
            throw new SocketTimeoutException("Accept timed out");
        }
    }

    private TcpAcceptor beginAccept() throws ClosedChannelException {
        begin();
        synchronized (stateLock) {
            ensureOpen();
            TcpAcceptor listener = boundAcceptor();
            accepting = true;
            return listener;
        }
    }

    private void endAccept(boolean completed) throws IOException {
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

    private TcpAcceptor boundAcceptor() {
        TcpAcceptor listener = acceptor;
        if (listener == null) {
            throw new NotYetBoundException();
        }
        return listener;
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
            acceptLock.lock(); // waits for a running accept, which is short
            try {
                synchronized (stateLock) {
                    release = isLastToLeave();
                }
            } finally {
                acceptLock.unlock();
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
            for (Shard shard : driver.shards()) {
                driver.nudge(shard);
            }
        }
        ServerSocketChannel delegate = kernel;
        try {
            if (delegate != null) {
                delegate.close();
            }
        } finally {
            AcceptWaiter watched = waiter; // nobody accepts any more
            if (watched != null) {
                watched.close();
            }
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
        acceptLock.lock();
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
            acceptLock.unlock();
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
