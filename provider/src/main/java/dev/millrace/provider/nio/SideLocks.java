package dev.millrace.provider.nio;

import java.util.concurrent.locks.ReentrantLock;

/**
 * The locks of a channel's sides. Each is held by the one thread that operates on its side, also while that is blocked there; whoever must
 * meet no operation, such as bind and connect, takes both, the input's first. Both come before the monitor of the channel's state.
 */
final class SideLocks {
    final ReentrantLock input = new ReentrantLock();
    final ReentrantLock output = new ReentrantLock();

    void lockBoth() {
        input.lock();
        output.lock();
    }

    void unlockBoth() {
        output.unlock();
        input.unlock();
    }
}
