package dev.millrace.provider.nio;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;

/** The datagrams of a channel that the kernel has all of. */
final class KernelDatagrams extends KernelTransfer<DatagramChannel> {
    KernelDatagrams(StackDatagramChannel owner, DatagramChannel delegate) {
        super(owner, delegate);
    }

    @Nullable
    SocketAddress receive(ByteBuffer target) throws IOException {
        try {
            return delegate.receive(target);
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
}
