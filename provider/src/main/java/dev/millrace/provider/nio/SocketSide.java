package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Driver;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What the two sides of a socket channel on the stack have alike: how blocking-mode operations begin and end. The side's lock, one of
 * {@link SideLocks}, admits one thread, one that connects among them; everything is for whoever holds it.
 */
abstract sealed class SocketSide permits SocketInput, SocketOutput {
    final StackSocketChannel channel;
    final ReentrantLock lock;
    final SocketState state;
    final Driver driver;
    final ConnectionFailure failure;
    private final Side side;
    private final SocketClosing closing;

    SocketSide(
            Side side,
            StackSocketChannel channel,
            SideLocks locks,
            SocketState state,
            SocketClosing closing,
            Driver driver,
            ConnectionFailure failure) {
        this.side = side;
        this.channel = channel;
        this.lock = side == Side.INPUT ? locks.input : locks.output;
        this.state = state;
        this.closing = closing;
        this.driver = driver;
        this.failure = failure;
    }

    /** Followed by {@link #end}, also when it throws. */
    final void begin() throws ClosedChannelException {
        channel.enter();
        synchronized (state) {
            channel.ensureOpen();
            if (side == Side.OUTPUT && state.outputShut) {
                throw new ClosedChannelException();
            }
            state.inProgress(side, true);
        }
    }

    final void end(boolean completed) throws IOException {
        closing.onOperationEnd(side);
        channel.leave(completed);
    }
}
