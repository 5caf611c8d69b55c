package dev.millrace.io.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.millrace.stack.memory.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * {@code struct ifreq} and the requests that take one (netdevice(7), linux/if_tun.h). Methods answer a non-negative value or {@code -errno}.
 * One thread at a time.
 */
public final class InterfaceRequest {
    /** IFNAMSIZ without its terminating zero. */
    public static final int MAX_NAME_BYTES = 15;

    public static final int IFF_TAP = 0x0002;
    public static final int IFF_NO_PI = 0x1000;

    private static final int IFF_UP = 0x1;
    private static final int IFREQ_BYTES = 40;
    private static final int UNION = 16; // offset behind ifr_name

    private static final long TUNSETIFF = 0x400454caL;
    private static final long SIOCGIFFLAGS = 0x8913;
    private static final long SIOCSIFFLAGS = 0x8914;
    private static final long SIOCGIFMTU = 0x8921;
    private static final long SIOCSIFMTU = 0x8922;
    private static final long SIOCGIFHWADDR = 0x8927;
    private static final long SIOCGIFINDEX = 0x8933;

    private final MemorySegment state;
    private final MemorySegment request;

    /** @param interfaceName ASCII, at most {@link #MAX_NAME_BYTES} */
    public InterfaceRequest(Arena arena, String interfaceName) {
        state = Libc.callState(arena);
        request = arena.allocate(IFREQ_BYTES, 8);
        byte[] name = interfaceName.getBytes(StandardCharsets.US_ASCII);
        MemorySegment.copy(MemorySegment.ofArray(name), 0, request, 0, name.length);
    }

    /** Attaches a {@code /dev/net/tun} descriptor to the interface, which is created if absent. */
    public int attach(int tunFd, int flags) {
        request.set(JAVA_SHORT, UNION, (short) flags);
        return Libc.ioctl(state, tunFd, TUNSETIFF, request);
    }

    /** Whether the calling thread's network namespace (that of {@code socket}) has it. */
    public boolean exists(int socket) {
        return Libc.ioctl(state, socket, SIOCGIFINDEX, request) >= 0;
    }

    /** Largest IP packet. */
    public int mtu(int socket) {
        int result = Libc.ioctl(state, socket, SIOCGIFMTU, request);
        return result < 0 ? result : request.get(JAVA_INT, UNION);
    }

    /** Needs CAP_NET_ADMIN. */
    public int setMtu(int socket, int mtu) {
        request.set(JAVA_INT, UNION, mtu);
        return Libc.ioctl(state, socket, SIOCSIFMTU, request);
    }

    /** 1 when administratively up, 0 when down. */
    public int isUp(int socket) {
        int result = Libc.ioctl(state, socket, SIOCGIFFLAGS, request);
        return result < 0 ? result : request.get(JAVA_SHORT, UNION) & IFF_UP;
    }

    /** Sets it administratively up unless it is. */
    public int setUp(int socket) {
        int up = isUp(socket);
        if (up != 0) {
            return up;
        }
        request.set(JAVA_SHORT, UNION, (short) (request.get(JAVA_SHORT, UNION) | IFF_UP));
        return Libc.ioctl(state, socket, SIOCSIFFLAGS, request);
    }

    /** The hardware address in the low 48 bits. */
    public long hardwareAddress(int socket) {
        int result = Libc.ioctl(state, socket, SIOCGIFHWADDR, request);
        return result < 0 ? result : Memory.getLong(request.address() + UNION + 2) >>> 16; // behind sa_family
    }
}
