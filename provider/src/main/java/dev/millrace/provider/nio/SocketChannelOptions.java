package dev.millrace.provider.nio;

import dev.millrace.provider.MillraceSocketOptions;
import dev.millrace.provider.Runtime;
import dev.millrace.stack.core.MetricsCall;
import dev.millrace.stack.tcp.TcpMetrics;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.tcp.TcpState;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketOption;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.util.HashSet;
import java.util.Set;

/**
 * The options of a socket channel wherever it lives: recorded before it is connected, then those of its connection on the stack, or the
 * kernel's own. Changed under the monitor of {@link SocketState}.
 */
final class SocketChannelOptions {
    private final StackSocketChannel channel;
    private final Runtime runtime;
    private final SocketState state;
    private final RecordedOptions recorded;
    private final LocalReservation reservation;

    SocketChannelOptions(
            StackSocketChannel channel,
            Runtime runtime,
            SocketState state,
            RecordedOptions recorded,
            LocalReservation reservation) {
        this.channel = channel;
        this.runtime = runtime;
        this.state = state;
        this.recorded = recorded;
        this.reservation = reservation;
    }

    <T> void set(SocketOption<T> name, T value) throws IOException {
        if (isMetrics(name)) {
            throw new SocketException("Attempt to set read only option " + name);
        }
        recorded.checkSettable(name, value);
        synchronized (state) {
            channel.ensureOpen();
            KernelSocket kernel = state.kernel;
            if (kernel != null) {
                kernel.channel().setOption(name, value);
                return;
            }
            recorded.set(name, value);
            SocketChannel reserved = reservation.onKernel();
            if (reserved != null) {
                reserved.setOption(name, value);
            }
            TcpSocket socket = state.tcp;
            if (socket != null) {
                recorded.applyTo(socket.options());
                socket.optionsChanged();
            }
        }
    }

    <T> T get(SocketOption<T> name) throws IOException {
        if (isMetrics(name)) {
            return name.type().cast(metrics());
        }
        recorded.checkSupported(name);
        synchronized (state) {
            channel.ensureOpen();
            KernelSocket kernel = state.kernel;
            return kernel != null ? kernel.channel().getOption(name) : recorded.get(name);
        }
    }

    /** An option of ours, which a channel on the kernel does not have. */
    private boolean isMetrics(SocketOption<?> name) {
        return name.equals(MillraceSocketOptions.TCP_INFO) && state.kernel == null;
    }

    private TcpMetrics metrics() throws ClosedChannelException {
        channel.ensureOpen();
        TcpSocket socket = state.tcp;
        if (socket == null) {
            return TcpMetrics.of(TcpState.CLOSED);
        }
        MetricsCall call = runtime.stack().metrics(socket);
        CallWaiter.perform(call, call.core(), runtime.driver());
        return call.result();
    }

    Set<SocketOption<?>> supported() {
        Set<SocketOption<?>> supported = recorded.supported();
        if (state.kernel != null) {
            return supported;
        }
        Set<SocketOption<?>> withOwn = new HashSet<>(supported);
        withOwn.add(MillraceSocketOptions.TCP_INFO);
        return Set.copyOf(withOwn);
    }
}
