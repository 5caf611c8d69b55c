package dev.millrace.provider.nio;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;

/**
 * The datagrams of a channel that the kernel has all of: the JDK's channel moves them under locks of its own, so none of ours are held. As with
 * {@link KernelSocket}, an interrupt that closes that channel closes the one in front as well.
 */
final class KernelDatagrams {
    private final StackDatagramChannel owner;
    private final DatagramChannel delegate;

    KernelDatagrams(StackDatagramChannel owner, DatagramChannel delegate) {
        this.owner = owner;
        this.delegate = delegate;
    }

    private void closeOwnerWithDelegate() throws IOException {
        if (!delegate.isOpen()) {
            owner.close();
        }
    }

    @Nullable
    SocketAddress receive(ByteBuffer target) throws IOException {
        try {
            return delegate.receive(target);
        } finally {
            closeOwnerWithDelegate();
        }
    }

    int read(ByteBuffer target) throws IOException {
        try {
            return delegate.read(target);
        } finally {
            closeOwnerWithDelegate();
        }
    }

    long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        try {
            return delegate.read(targets, offset, length);
        } finally {
            closeOwnerWithDelegate();
        }
    }

    int send(ByteBuffer source, SocketAddress target) throws IOException {
        try {
            return delegate.send(source, target);
        } finally {
            closeOwnerWithDelegate();
        }
    }

    int write(ByteBuffer source) throws IOException {
        try {
            return delegate.write(source);
        } finally {
            closeOwnerWithDelegate();
        }
    }

    long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        try {
            return delegate.write(sources, offset, length);
        } finally {
            closeOwnerWithDelegate();
        }
    }
}
