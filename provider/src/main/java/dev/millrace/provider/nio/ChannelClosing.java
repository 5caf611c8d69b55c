package dev.millrace.provider.nio;

import java.io.IOException;

/**
 * How a channel with a part on the stack is closed. In non-blocking mode operations are short, so close waits for the running ones through
 * their locks, then gives the channel's sockets up. In blocking mode it must not wait, for the blocked thread may itself be on its way into
 * {@code close} after an interrupt: it marks the channel, makes the blocked threads look, and the last of them to leave gives the sockets up. In
 * both cases that happens at once and not when selectors let go of the channel: a socket of the stack has no descriptor that could be reused.
 */
abstract sealed class ChannelClosing permits SocketClosing, DatagramClosing {
    private final ChannelState state;
    private final SideLocks locks;
    private final Registrations registrations;

    ChannelClosing(ChannelState state, SideLocks locks, Registrations registrations) {
        this.state = state;
        this.locks = locks;
        this.registrations = registrations;
    }

    /** The channel and its state are marked already. Without locks. */
    final void closeWhenLeft(boolean blocking) throws IOException {
        boolean last = blocking ? isLastToLeave() : isLastAfterOperations();
        if (last) {
            release();
        } else if (blocking) {
            registrations.signalWaiters();
        }
    }

    private boolean isLastToLeave() {
        synchronized (state) {
            return state.isLastToLeave();
        }
    }

    private boolean isLastAfterOperations() {
        locks.lockBoth();
        try {
            return isLastToLeave();
        } finally {
            locks.unlockBoth();
        }
    }

    /** A blocking-mode operation of this side ends; whoever leaves a closing channel last gives it up. */
    final void onOperationEnd(Side side) throws IOException {
        boolean last;
        synchronized (state) {
            state.inProgress(side, false);
            last = state.isLastToLeave();
        }
        if (last) {
            release();
        }
    }

    /** Gives up whatever the channel holds. Once, by whoever closes it or leaves it last; without the state's monitor, for it may wait. */
    abstract void release() throws IOException;
}
