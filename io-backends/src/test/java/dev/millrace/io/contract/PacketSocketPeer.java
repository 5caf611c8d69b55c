package dev.millrace.io.contract;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.millrace.io.posix.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** The kernel's side of an interface: a packet(7) socket that sends raw frames out of it, and sees every frame that comes in. */
public final class PacketSocketPeer implements Peer, AutoCloseable {
    private static final int AF_PACKET = 17;
    private static final int SOCK_RAW = 3;
    private static final short ETH_P_ALL_NETWORK_ORDER = 0x0300;
    private static final int SOCKADDR_LL_BYTES = 20;
    private static final int MAX_FRAME = 65536;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment state = Libc.callState(arena);
    private final MemorySegment buffer = arena.allocate(MAX_FRAME);
    private final int fd;

    /** Binds to an interface of the calling thread's namespace. */
    public PacketSocketPeer(String interfaceName) throws IOException {
        fd = Libc.socket(state, AF_PACKET, SOCK_RAW | Libc.SOCK_CLOEXEC | Libc.O_NONBLOCK, ETH_P_ALL_NETWORK_ORDER);
        MemorySegment address = arena.allocate(SOCKADDR_LL_BYTES, 4);
        address.set(JAVA_SHORT, 0, (short) AF_PACKET);
        address.set(JAVA_SHORT, 2, ETH_P_ALL_NETWORK_ORDER);
        address.set(JAVA_INT, 4, Lab.interfaceIndex(interfaceName));
        int result = fd < 0 ? fd : Libc.bind(state, fd, address, SOCKADDR_LL_BYTES);
        if (result < 0) {
            throw new IOException("packet socket on " + interfaceName + ": " + Libc.strerror(-result));
        }
    }

    @Override
    public boolean offer(byte[] frame) {
        MemorySegment.copy(frame, 0, buffer, JAVA_BYTE, 0, frame.length);
        return Libc.write(state, fd, buffer.address(), frame.length) == frame.length;
    }

    @Override
    public byte @Nullable [] poll() {
        long bytes = Libc.read(state, fd, buffer.address(), MAX_FRAME);
        return bytes <= 0 ? null : buffer.asSlice(0, bytes).toArray(JAVA_BYTE);
    }

    @Override
    public void close() {
        Libc.close(state, fd);
        arena.close();
    }
}
