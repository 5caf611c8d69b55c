package dev.millrace.provider.nio;

import dev.millrace.provider.driver.Waiter;
import dev.millrace.stack.tcp.TcpSocket;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** The wait of a thread in a blocking operation on a connection: for its readiness, or for the operation being called off. */
final class ReadinessWaiter extends Waiter {
    private final BooleanSupplier calledOff;
    private @Nullable TcpSocket socket;
    private int bits;

    /** @param calledOff whether the channel was closed, or this direction of it shut down */
    ReadinessWaiter(BooleanSupplier calledOff) {
        this.calledOff = calledOff;
    }

    /** What to wait for next: any of these bits of {@link TcpSocket#readiness}. The waiting thread. */
    ReadinessWaiter forAny(TcpSocket endpoint, int readinessBits) {
        socket = endpoint;
        bits = readinessBits;
        return this;
    }

    @Override
    protected boolean isSatisfied() {
        TcpSocket endpoint = socket;
        return endpoint == null || (endpoint.readiness() & bits) != 0 || calledOff.getAsBoolean();
    }
}
