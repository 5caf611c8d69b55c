package dev.millrace.io.tap;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.millrace.io.posix.Errno;
import dev.millrace.io.posix.InterfaceRequest;
import dev.millrace.io.posix.Libc;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * An attached tap interface: the descriptor that frames go through, and what the interface looks like from the kernel's side.
 *
 * <p>No offload is asked for (no {@code IFF_VNET_HDR}, no {@code TUNSETOFFLOAD}), so the kernel segments and checksums everything before it arrives
 * here. The interface is removed by the kernel when the descriptor closes, also after {@code kill -9}, unless somebody made it persistent.
 */
final class TapDevice implements AutoCloseable {
    private static final String TUN = "/dev/net/tun";
    private static final int MIN_MTU = 68; // RFC 791 §3.2
    private static final int MAX_MTU = 65521; // what the tun driver takes
    private static final long LOCALLY_ADMINISTERED = 0x02_00_00_00_00_00L;

    /** Turns the kernel's end into ours: another address, but stable as long as the interface is. */
    private static final long OTHER_END = 0x04_00_00_00_00_00L;

    final int fd;
    final int mtu;
    final long mac;
    private final String name;
    private final Arena arena;
    private final MemorySegment state;
    private final InterfaceRequest request;
    private final int socket;
    private boolean closed;

    private TapDevice(
            String name,
            Arena arena,
            MemorySegment state,
            InterfaceRequest request,
            int fd,
            int socket,
            LinkOptions options)
            throws LinkException {
        this.name = name;
        this.arena = arena;
        this.state = state;
        this.request = request;
        this.fd = fd;
        this.socket = socket;
        boolean existed = request.exists(socket);
        attach();
        this.mtu = configureMtu(options.mtu(), existed);
        setUp();
        this.mac = options.mac() != 0 ? options.mac() : macOpposite();
    }

    /** Opens and sets up; on failure nothing is left behind. */
    static TapDevice open(String name, LinkOptions options) throws LinkException {
        Arena arena = Arena.ofShared();
        int fd = -1;
        int socket = -1;
        MemorySegment state = Libc.callState(arena);
        try {
            int flags = Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_CLOEXEC;
            fd = Libc.open(state, arena.allocateFrom(TUN, US_ASCII), flags);
            if (fd < 0) {
                throw cannotOpenTun(name, -fd);
            }
            socket = Libc.socket(state, Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
            if (socket < 0) {
                throw failure(name, "cannot open a socket", -socket, "raise the limit of open files (ulimit -n)");
            }
            return new TapDevice(name, arena, state, new InterfaceRequest(arena, name), fd, socket, options);
        } catch (LinkException e) {
            closeAll(state, fd, socket);
            arena.close();
            throw e;
        }
    }

    private void attach() throws LinkException {
        int result = request.attach(fd, InterfaceRequest.IFF_TAP | InterfaceRequest.IFF_NO_PI);
        switch (-result) {
            case 0 -> {}
            case Errno.EBUSY ->
                throw new LinkException(
                        "tap:" + name + ": taken: another process is attached to this interface; stop it or choose"
                                + " another name");
            case Errno.EPERM, Errno.EACCES ->
                throw new LinkException(
                        "tap:" + name + ": creating a network interface needs CAP_NET_ADMIN: run as root, or create"
                                + " it once for this user with 'ip tuntap add dev " + name + " mode tap user $USER'");
            case Errno.EINVAL ->
                throw new LinkException(
                        "tap:" + name + ": an interface of this name exists and is not a tap with one queue: choose"
                                + " another name, or remove it with 'ip link del " + name + "'");
            default -> throw failure(name, "cannot attach", -result, "see 'ip -d link show " + name + "'");
        }
    }

    /** The MTU of an interface that somebody else made is his; ours is set as wished. */
    private int configureMtu(int wanted, boolean existed) throws LinkException {
        int current = request.mtu(socket);
        if (current < 0) {
            throw failure(name, "cannot read the MTU", -current, "see 'ip link show " + name + "'");
        }
        if (wanted == 0 || wanted == current) {
            return current;
        }
        if (wanted < MIN_MTU || wanted > MAX_MTU) {
            throw new LinkException(
                    "tap:" + name + ": mtu=" + wanted + " is not possible: " + MIN_MTU + " to " + MAX_MTU);
        }
        if (existed) {
            throw new LinkException("tap:" + name + ": the interface has MTU " + current + ", not mtu=" + wanted
                    + ": drop the setting, or change it with 'ip link set " + name + " mtu " + wanted + "'");
        }
        int result = request.setMtu(socket, wanted);
        if (result < 0) {
            throw failure(name, "cannot set mtu=" + wanted, -result, "choose another one");
        }
        return wanted;
    }

    private void setUp() throws LinkException {
        int result = request.setUp(socket);
        if (result < 0) {
            throw failure(name, "cannot set the interface up", -result, "run 'ip link set " + name + " up' as root");
        }
    }

    private long macOpposite() throws LinkException {
        long kernel = request.hardwareAddress(socket);
        if (kernel < 0) {
            throw failure(name, "cannot read the hardware address", (int) -kernel, "see 'ip link show " + name + "'");
        }
        return (kernel ^ OTHER_END) | LOCALLY_ADMINISTERED;
    }

    /** Whether the interface is there and up. */
    synchronized boolean isUp() {
        return !closed && request.isUp(socket) > 0;
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        closeAll(state, fd, socket);
        arena.close();
    }

    private static void closeAll(MemorySegment state, int fd, int socket) {
        if (fd >= 0) {
            Libc.close(state, fd);
        }
        if (socket >= 0) {
            Libc.close(state, socket);
        }
    }

    private static LinkException cannotOpenTun(String name, int errno) {
        String remedy = errno == Errno.ENOENT || errno == Errno.ENODEV
                ? "run 'modprobe tun' as root, or give the container --device " + TUN
                : "run as root, or make " + TUN + " accessible to this user";
        return failure(name, "cannot open " + TUN, errno, remedy);
    }

    private static LinkException failure(String name, String what, int errno, String remedy) {
        return new LinkException("tap:" + name + ": " + what + ": " + Libc.strerror(errno) + ": " + remedy);
    }
}
