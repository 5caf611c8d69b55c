package dev.millrace.provider.nio;

import dev.millrace.stack.tcp.TcpSocket;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Moves bytes between an application's buffers, of whatever kind, and a connection, and keeps their positions. Each returns what
 * {@link TcpSocket#read} and {@link TcpSocket#write} return; of several buffers, an error that comes after some bytes is left for the next call.
 */
final class ByteTransfer {
    private ByteTransfer() {}

    static int read(TcpSocket socket, ByteBuffer target) {
        int position = target.position();
        int room = target.limit() - position;
        if (room <= 0) {
            return 0;
        }
        int count = socket.read(target, position, room);
        if (count > 0) {
            target.position(position + count);
        }
        return count;
    }

    static int write(TcpSocket socket, ByteBuffer source) {
        int position = source.position();
        int length = source.limit() - position;
        if (length <= 0) {
            return 0;
        }
        int count = socket.write(source, position, length);
        if (count > 0) {
            source.position(position + count);
        }
        return count;
    }

    static long scatter(TcpSocket socket, ByteBuffer[] targets, int offset, int length) {
        long total = 0;
        for (int i = offset; i < offset + length; i++) {
            ByteBuffer target = targets[i];
            if (!target.hasRemaining()) {
                continue;
            }
            int count = read(socket, target);
            if (count < 0) {
                return total > 0 ? total : count;
            }
            total += count;
            if (target.hasRemaining()) {
                break;
            }
        }
        return total;
    }

    static long gather(TcpSocket socket, ByteBuffer[] sources, int offset, int length) {
        long total = 0;
        for (int i = offset; i < offset + length; i++) {
            ByteBuffer source = sources[i];
            if (!source.hasRemaining()) {
                continue;
            }
            int count = write(socket, source);
            if (count < 0) {
                return total > 0 ? total : count;
            }
            total += count;
            if (source.hasRemaining()) {
                break;
            }
        }
        return total;
    }

    /** Of {@code one} or, if that is null, of {@code many}. */
    static boolean hasRemaining(@Nullable ByteBuffer one, ByteBuffer[] many, int offset, int length) {
        return one != null ? one.hasRemaining() : hasRemaining(many, offset, length);
    }

    private static boolean hasRemaining(ByteBuffer[] buffers, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            if (buffers[i].hasRemaining()) {
                return true;
            }
        }
        return false;
    }

    /** @throws IllegalArgumentException if one of the targets can't be written to, before anything is read */
    static void checkWritable(ByteBuffer[] targets, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            checkWritable(targets[i]);
        }
    }

    static void checkWritable(ByteBuffer target) {
        if (target.isReadOnly()) {
            throw new IllegalArgumentException("Read-only buffer");
        }
    }
}
