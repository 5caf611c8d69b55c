package dev.millrace.compat.netty;

import dev.millrace.compat.app.Content;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.stream.ChunkedInput;

/**
 * The content of a download, made piece by piece as the channel becomes writable, so that a gigabyte is never held in memory.
 * Confined to the channel's event loop.
 */
final class ContentInput implements ChunkedInput<ByteBuf> {
    private final byte[] piece = new byte[Content.PIECE_BYTES];
    private final long length;
    private long offset;

    ContentInput(long length) {
        this.length = length;
    }

    @Override
    public boolean isEndOfInput() {
        return offset == length;
    }

    @Override
    public ByteBuf readChunk(ByteBufAllocator allocator) {
        int bytes = Content.fill(piece, offset, length);
        offset += bytes;
        return allocator.buffer(bytes).writeBytes(piece, 0, bytes);
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public long progress() {
        return offset;
    }

    @Override
    public void close() {
        offset = length;
    }

    @Override
    @Deprecated
    @SuppressWarnings("InlineMeSuggester") // deprecated by the interface, not by us
    public ByteBuf readChunk(ChannelHandlerContext context) {
        return readChunk(context.alloc());
    }
}
