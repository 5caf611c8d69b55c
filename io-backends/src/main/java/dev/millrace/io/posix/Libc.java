package dev.millrace.io.posix;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/**
 * Raw layer: one method per C function, its prototype in the comment. Numbers are those of Linux' generic ABI (x86-64, arm64).
 *
 * <p>Functions that fail with {@code errno} return {@code -errno} instead, as the system calls themselves do. Their first argument
 * receives the captured call state; {@link #callState} makes one, to be used by one thread at a time. None of these is a
 * critical downcall, so a blocking one does not hold up the garbage collector. Any thread.
 */
public final class Libc {
    public static final int O_RDWR = 2;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_CLOEXEC = 0x80000;
    public static final int EFD_NONBLOCK = O_NONBLOCK;
    public static final int EFD_CLOEXEC = O_CLOEXEC;
    public static final int AF_UNIX = 1;
    public static final int AF_INET = 2;
    public static final int SOCK_DGRAM = 2;
    public static final int SOCK_CLOEXEC = O_CLOEXEC;
    public static final int SOCK_STREAM = 1;
    public static final int MFD_CLOEXEC = 1;
    private static final int IONBF = 2;
    public static final short POLLIN = 1;
    public static final short POLLERR = 8;
    public static final short POLLHUP = 0x10;
    public static final short POLLNVAL = 0x20;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CALL_STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final Linker.Option CAPTURE = Linker.Option.captureCallState("errno");
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;

    private static final MethodHandle OPEN = variadic("open", 2, JAVA_INT, POINTER, JAVA_INT);
    private static final MethodHandle CLOSE = function("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle READ = function("read", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle WRITE = function("write", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle IOCTL = variadic("ioctl", 2, JAVA_INT, JAVA_INT, JAVA_LONG, POINTER);
    private static final MethodHandle SOCKET = function("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle BIND = function("bind", JAVA_INT, JAVA_INT, POINTER, JAVA_INT);
    private static final MethodHandle EVENTFD = function("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle MPROTECT = function("mprotect", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle PPOLL = function("ppoll", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle CONNECT = function("connect", JAVA_INT, JAVA_INT, POINTER, JAVA_INT);
    private static final MethodHandle MEMFD_CREATE = function("memfd_create", JAVA_INT, POINTER, JAVA_INT);
    private static final MethodHandle FDOPEN = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("fdopen"), FunctionDescriptor.of(POINTER, JAVA_INT, POINTER));
    private static final MethodHandle FOPEN = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("fopen"), FunctionDescriptor.of(POINTER, POINTER, POINTER));
    private static final MethodHandle DLSYM = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("dlsym"), FunctionDescriptor.of(POINTER, POINTER, POINTER));
    private static final MethodHandle SETVBUF = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("setvbuf"),
            FunctionDescriptor.of(JAVA_INT, POINTER, POINTER, JAVA_INT, JAVA_LONG));
    private static final MethodHandle STRERROR = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(POINTER, JAVA_INT));

    private Libc() {}

    private static MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments), CAPTURE);
    }

    private static MethodHandle variadic(
            String name, int firstVariadic, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(result, arguments),
                CAPTURE,
                Linker.Option.firstVariadicArg(firstVariadic));
    }

    /** Room for {@code errno} of one thread's calls. */
    public static MemorySegment callState(Arena arena) {
        return arena.allocate(CALL_STATE);
    }

    private static int orErrno(MemorySegment state, int result) {
        return result >= 0 ? result : -(int) ERRNO.get(state, 0L);
    }

    private static long orErrno(MemorySegment state, long result) {
        return result >= 0 ? result : -(int) ERRNO.get(state, 0L);
    }

    /** {@code int open(const char *pathname, int flags, ...)} */
    public static int open(MemorySegment state, MemorySegment path, int flags) {
        try {
            return orErrno(state, (int) OPEN.invokeExact(state, path, flags));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int close(int fd)} */
    public static int close(MemorySegment state, int fd) {
        try {
            return orErrno(state, (int) CLOSE.invokeExact(state, fd));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code ssize_t read(int fd, void *buf, size_t count)} */
    public static long read(MemorySegment state, int fd, long buffer, long count) {
        try {
            return orErrno(state, (long) READ.invokeExact(state, fd, buffer, count));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code ssize_t write(int fd, const void *buf, size_t count)} */
    public static long write(MemorySegment state, int fd, long buffer, long count) {
        try {
            return orErrno(state, (long) WRITE.invokeExact(state, fd, buffer, count));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int ioctl(int fd, unsigned long request, ...)} with a pointer */
    public static int ioctl(MemorySegment state, int fd, long request, MemorySegment argument) {
        try {
            return orErrno(state, (int) IOCTL.invokeExact(state, fd, request, argument));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int socket(int domain, int type, int protocol)} */
    public static int socket(MemorySegment state, int domain, int type, int protocol) {
        try {
            return orErrno(state, (int) SOCKET.invokeExact(state, domain, type, protocol));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen)} */
    public static int bind(MemorySegment state, int fd, MemorySegment address, int length) {
        try {
            return orErrno(state, (int) BIND.invokeExact(state, fd, address, length));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen)} */
    public static int connect(MemorySegment state, int fd, MemorySegment address, int length) {
        try {
            return orErrno(state, (int) CONNECT.invokeExact(state, fd, address, length));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int memfd_create(const char *name, unsigned int flags)} */
    public static int memfdCreate(MemorySegment state, MemorySegment name, int flags) {
        try {
            return orErrno(state, (int) MEMFD_CREATE.invokeExact(state, name, flags));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code FILE *fdopen(int fd, const char *mode)}; null on failure */
    public static MemorySegment fdopen(int fd, MemorySegment mode) {
        try {
            return (MemorySegment) FDOPEN.invokeExact(fd, mode);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int setvbuf(FILE *stream, char *buf, int mode, size_t size)} with no buffer */
    public static void unbuffer(MemorySegment stream) {
        try {
            int result = (int) SETVBUF.invokeExact(stream, MemorySegment.NULL, IONBF, 0L);
            assert result == 0 : "setvbuf on a fresh stream";
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code FILE *fopen(const char *path, const char *mode)}; null on failure */
    public static MemorySegment fopen(MemorySegment path, MemorySegment mode) {
        try {
            return (MemorySegment) FOPEN.invokeExact(path, mode);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * C code's variable {@code stdout} or {@code stderr}, a {@code FILE *}. {@code void *dlsym(void *handle, const char *symbol)} with RTLD_DEFAULT, because
     * the program may have a copy of the C library's, which then counts.
     */
    public static MemorySegment standardStream(String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment variable = (MemorySegment) DLSYM.invokeExact(MemorySegment.NULL, arena.allocateFrom(name));
            return variable.reinterpret(POINTER.byteSize());
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int eventfd(unsigned int initval, int flags)} */
    public static int eventfd(MemorySegment state, int initial, int flags) {
        try {
            return orErrno(state, (int) EVENTFD.invokeExact(state, initial, flags));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int mprotect(void *addr, size_t size, int prot)} */
    public static int mprotect(MemorySegment state, long address, long bytes, int protection) {
        try {
            return orErrno(state, (int) MPROTECT.invokeExact(state, address, bytes, protection));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int ppoll(struct pollfd *fds, nfds_t nfds, const struct timespec *timeout, const sigset_t *sigmask)} */
    public static int ppoll(MemorySegment state, long fds, long count, long timeout, long signalMask) {
        try {
            return orErrno(state, (int) PPOLL.invokeExact(state, fds, count, timeout, signalMask));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code char *strerror(int errnum)}, lower case as in the middle of a sentence */
    public static String strerror(int errno) {
        try {
            MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
            String message = text.reinterpret(256).getString(0);
            return Character.toLowerCase(message.charAt(0)) + message.substring(1);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** A downcall itself throws nothing; only the JVM can fail here. */
    private static AssertionError unexpected(Throwable e) {
        return new AssertionError("downcall failed", e);
    }
}
