package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.driver.Shard;
import dev.millrace.provider.nio.DatagramState.Phase;
import dev.millrace.provider.routing.Route;
import dev.millrace.stack.udp.UdpSocket;
import java.io.IOException;

/** How a datagram channel ends, by the protocol of {@link SocketClosing}. */
final class DatagramClosing {
    private final StackDatagramChannel channel;
    private final DatagramState state;
    private final SideLocks locks;
    private final Driver driver;

    DatagramClosing(StackDatagramChannel channel, DatagramState state, SideLocks locks, Driver driver) {
        this.channel = channel;
        this.state = state;
        this.locks = locks;
        this.driver = driver;
    }

    /** The channel is marked closed already. */
    void close() throws IOException {
        boolean release = false;
        boolean blocking = channel.isBlocking();
        synchronized (state) {
            if (state.bound == Route.KERNEL) {
                state.phase = Phase.CLOSED;
            } else {
                state.phase = Phase.CLOSING;
                release = blocking && state.isLastToLeave();
            }
        }
        if (state.delegate() != null) {
            state.kernel.close();
        } else if (!blocking) {
            closeAfterOperations();
        } else if (release) {
            release();
        } else {
            channel.registrations().signalWaiters();
        }
    }

    private void closeAfterOperations() throws IOException {
        boolean release;
        locks.lockBoth();
        try {
            synchronized (state) {
                release = state.isLastToLeave();
            }
        } finally {
            locks.unlockBoth();
        }
        if (release) {
            release();
        }
    }

    /** A blocking-mode operation of this side ends; whoever leaves a closing channel last gives it up. */
    void onOperationEnd(Side side) throws IOException {
        boolean last;
        synchronized (state) {
            state.inProgress(side, false);
            last = state.isLastToLeave();
        }
        if (last) {
            release();
        }
    }

    /** Gives up whatever the channel holds; what was sent still leaves. Once, by whoever closes it or leaves it last. */
    private void release() throws IOException {
        UdpSocket socket = state.udp;
        if (socket != null) {
            socket.close();
            for (Shard shard : driver.shards()) {
                driver.nudge(shard);
            }
        }
        try {
            state.kernel.close();
        } finally {
            channel.closeSides();
        }
    }
}
