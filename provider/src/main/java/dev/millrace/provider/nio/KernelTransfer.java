package dev.millrace.provider.nio;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;
import java.nio.channels.spi.AbstractSelectableChannel;

/**
 * A JDK channel that everything is delegated to, once the kernel has all of a channel of ours. It has locks of its own, so none of ours are held.
 * An interrupt closes it; each operation looks for this when it ends, however it does, and closes the channel in front as well.
 */
abstract sealed class KernelTransfer<C extends AbstractSelectableChannel & ScatteringByteChannel & GatheringByteChannel>
        permits KernelSocket, KernelDatagrams {
    private final AbstractSelectableChannel owner;
    final C delegate;

    KernelTransfer(AbstractSelectableChannel owner, C delegate) {
        this.owner = owner;
        this.delegate = delegate;
    }

    final void closeOwnerWithDelegate() throws IOException {
        if (!delegate.isOpen()) {
            owner.close();
        }
    }

    final int read(ByteBuffer target) throws IOException {
        try {
            return delegate.read(target);
        } finally {
            closeOwnerWithDelegate();
        }
    }

    final long read(ByteBuffer[] targets, int offset, int length) throws IOException {
        try {
            return delegate.read(targets, offset, length);
        } finally {
            closeOwnerWithDelegate();
        }
    }

    final int write(ByteBuffer source) throws IOException {
        try {
            return delegate.write(source);
        } finally {
            closeOwnerWithDelegate();
        }
    }

    final long write(ByteBuffer[] sources, int offset, int length) throws IOException {
        try {
            return delegate.write(sources, offset, length);
        } finally {
            closeOwnerWithDelegate();
        }
    }
}
