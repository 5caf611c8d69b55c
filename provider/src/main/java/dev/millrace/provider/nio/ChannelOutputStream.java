package dev.millrace.provider.nio;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Objects;

/** The output of {@code channel.socket()}: writes under the channel's write lock only, so that readers are not held up. */
final class ChannelOutputStream extends OutputStream {
    private final StackSocketChannel channel;

    ChannelOutputStream(StackSocketChannel channel) {
        this.channel = channel;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] source, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, source.length);
        if (length > 0) {
            channel.blockingWrite(ByteBuffer.wrap(source, offset, length));
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
