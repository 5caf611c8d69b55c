package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.driver.Shard;
import dev.millrace.provider.nio.DatagramState.Phase;
import dev.millrace.provider.routing.Route;
import dev.millrace.stack.udp.UdpSocket;
import java.io.IOException;

/** How a datagram channel ends; what was sent still leaves. */
final class DatagramClosing extends ChannelClosing {
    private final StackDatagramChannel channel;
    private final DatagramState state;
    private final Driver driver;

    DatagramClosing(StackDatagramChannel channel, DatagramState state, SideLocks locks, Driver driver) {
        super(state, locks, channel.registrations());
        this.channel = channel;
        this.state = state;
        this.driver = driver;
    }

    /** The channel is marked closed already. */
    void close() throws IOException {
        boolean blocking = channel.isBlocking();
        synchronized (state) {
            state.phase = state.bound == Route.KERNEL ? Phase.CLOSED : Phase.CLOSING;
        }
        if (state.delegate() != null) {
            state.kernel.close();
        } else {
            closeWhenLeft(blocking);
        }
    }

    @Override
    void release() throws IOException {
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
