package dev.millrace.provider.nio;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** The input of {@code channel.socket()}: reads under the channel's read lock only, so that writers are not held up. */
final class ChannelInputStream extends InputStream {
    private final StackSocketChannel channel;
    private final IntSupplier timeoutMs;
    /** Around the array of the last read; applications mostly come with the same one again. Racing readers at worst make another. */
    private volatile @Nullable ByteBuffer lastWrapped;

    ChannelInputStream(StackSocketChannel channel, IntSupplier timeoutMs) {
        this.channel = channel;
        this.timeoutMs = timeoutMs;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) > 0 ? one[0] & 0xff : -1;
    }

    @Override
    @SuppressWarnings({"ReferenceEquality", "ByteBufferBackingArray"}) // the same array; it was wrapped here
    public int read(byte[] target, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, target.length);
        if (length == 0) {
            return 0;
        }
        ByteBuffer wrapped = lastWrapped;
        lastWrapped = null; // one reader at a time may use it
        if (wrapped == null || wrapped.array() != target) {
            wrapped = ByteBuffer.wrap(target);
        }
        wrapped.limit(offset + length).position(offset);
        try {
            return channel.blockingRead(wrapped, timeoutMs.getAsInt());
        } finally {
            lastWrapped = wrapped;
        }
    }

    @Override
    public int available() throws IOException {
        return channel.available();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
