package dev.millrace.io.sleep;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.io.posix.Errno;
import dev.millrace.io.posix.Libc;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.Sleeper;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Sleeps in poll(2) on a device's file descriptor and on an eventfd of its own, through which {@link #wake} reaches it.
 *
 * <p>The waker makes a system call only when somebody sleeps. {@code state} goes AWAKE → ASLEEP → AWAKE by the sleeper; SIGNALLED is set by
 * wakers and taken by the sleeper. An eventfd write may come after the sleeper has left already; the next sleep then ends early once,
 * and drains it.
 */
public final class PollSleeper implements Sleeper, AutoCloseable {
    private static final int AWAKE = 0;
    private static final int ASLEEP = 1;
    private static final int SIGNALLED = 2;

    /** Thread.interrupt does not end a poll(2), so sleep is cut into pieces; a thread this idle notices no cost. */
    private static final long MAX_SLEEP_NS = 50_000_000L;

    private static final int POLLFD_BYTES = 8; // struct pollfd { int fd; short events; short revents; }
    private static final int BROKEN = Libc.POLLERR | Libc.POLLHUP | Libc.POLLNVAL;
    private static final long NS_PER_SECOND = 1_000_000_000L;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment sleeperState = Libc.callState(arena);
    private final MemorySegment wakerState = Libc.callState(arena); // guarded by this
    private final long pollFds;
    private final long timespec;
    private final long drained;
    private final long one;
    private final int eventFd;
    private final AtomicInteger state = new AtomicInteger(AWAKE);
    private boolean deviceBroken;
    private boolean closed;

    /** @param deviceFd readable when a frame is there; stays its owner's */
    public PollSleeper(int deviceFd) throws LinkException {
        pollFds = arena.allocate(2L * POLLFD_BYTES, 8).address();
        timespec = arena.allocate(16, 8).address();
        drained = arena.allocate(JAVA_LONG).address();
        one = arena.allocate(JAVA_LONG).address();
        Memory.putLongNative(one, 1);
        eventFd = Libc.eventfd(sleeperState, 0, Libc.EFD_CLOEXEC | Libc.EFD_NONBLOCK);
        if (eventFd < 0) {
            arena.close();
            throw new LinkException(
                    "eventfd failed: " + Libc.strerror(-eventFd) + ": raise the limit of open files (ulimit -n)");
        }
        putPollFd(pollFds, eventFd);
        putPollFd(pollFds + POLLFD_BYTES, deviceFd);
    }

    private static void putPollFd(long at, int fd) {
        Memory.putIntNative(at, fd);
        Memory.putIntNative(at + 4, Libc.POLLIN); // events; revents = 0
    }

    @Override
    public void await(long timeoutNs) {
        if (timeoutNs <= 0 || Thread.currentThread().isInterrupted() || !state.compareAndSet(AWAKE, ASLEEP)) {
            state.set(AWAKE);
            return;
        }
        poll(Math.min(timeoutNs, MAX_SLEEP_NS));
        state.set(AWAKE);
    }

    private void poll(long timeoutNs) {
        Memory.putLongNative(timespec, timeoutNs / NS_PER_SECOND);
        Memory.putLongNative(timespec + 8, timeoutNs % NS_PER_SECOND);
        int ready = Libc.ppoll(sleeperState, pollFds, deviceBroken ? 1 : 2, timespec, 0);
        if (ready < 0) {
            assert ready == -Errno.EINTR : "ppoll failed: " + Libc.strerror(-ready);
            return;
        }
        if (Memory.getUnsignedShortNative(pollFds + 6) != 0) {
            Libc.read(sleeperState, eventFd, drained, 8);
        }
        if (!deviceBroken && (Memory.getUnsignedShortNative(pollFds + POLLFD_BYTES + 6) & BROKEN) != 0) {
            deviceBroken = true; // it would end every later poll at once
        }
    }

    /** True once the device has reported an error instead of frames: it was removed. Sleeper. */
    public boolean isDeviceBroken() {
        return deviceBroken;
    }

    @Override
    public void wake() {
        if (state.getAndSet(SIGNALLED) == ASLEEP) {
            ringBell();
        }
    }

    private synchronized void ringBell() {
        if (!closed) {
            Libc.write(wakerState, eventFd, one, 8);
        }
    }

    /** Closes the eventfd; a late {@link #wake} does nothing then. Idempotent. Nobody may be asleep. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        Libc.close(sleeperState, eventFd);
        arena.close();
    }
}
