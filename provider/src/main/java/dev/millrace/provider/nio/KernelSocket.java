package dev.millrace.provider.nio;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;

/** A socket channel's life on the kernel, once routing has decided so. */
final class KernelSocket extends KernelTransfer<SocketChannel> {
    private final StackSocketChannel owner;

    KernelSocket(StackSocketChannel owner, SocketChannel delegate) {
        super(owner, delegate);
        this.owner = owner;
    }

    /** For what an interrupt does not meet. */
    SocketChannel channel() {
        return delegate;
    }

    // ---- for the socket adaptor ----

    /** By the JDK's socket, which alone knows timeouts. {@code target} has an array; {@code timeoutMs} 0 for none. */
    int blockingRead(ByteBuffer target, int timeoutMs) throws IOException {
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
            closeOwnerWithDelegate();
        }
    }

    int available() throws IOException {
        return delegate.socket().getInputStream().available();
    }

    /** Throws when there is no room. */
    void writeUrgent(byte value) throws IOException {
        delegate.socket().sendUrgentData(value);
    }

    // ---- connecting ----

    boolean connect(InetSocketAddress remote, long timeoutNs) throws IOException {
        try {
            boolean connected = true;
            if (timeoutNs == SocketInput.NO_TIMEOUT) {
                connected = delegate.connect(remote);
            } else {
                delegate.socket().connect(remote, millis(timeoutNs));
            }
            // only now: to the kernel a socket that does not even try to connect is hung up, and ready for everything
            for (MillraceKey key : owner.registrations().keys()) {
                key.owner().kernelMayHaveCome(key, owner);
            }
            return connected;
        } finally {
            closeOwnerWithDelegate();
        }
    }

    private static int millis(long timeoutNs) {
        return (int) Math.max(1, Math.min(Integer.MAX_VALUE, timeoutNs / 1_000_000));
    }

    boolean finishConnect() throws IOException {
        try {
            return delegate.finishConnect();
        } finally {
            closeOwnerWithDelegate();
        }
    }

    // ---- addresses, which are still there after a close ----

    @Nullable
    InetSocketAddress localAddress() {
        return (InetSocketAddress) delegate.socket().getLocalSocketAddress();
    }

    @Nullable
    InetSocketAddress remoteAddress() {
        return (InetSocketAddress) delegate.socket().getRemoteSocketAddress();
    }
}
