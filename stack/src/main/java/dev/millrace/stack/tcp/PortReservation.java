package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;
import org.jspecify.annotations.Nullable;

/** One entry of the {@link PortTable}, which guards its mutable fields with its lock. */
final class PortReservation implements LocalBinding {
    private final PortTable table;
    private final IpAddress address;
    private final int port;
    final boolean reuseAddress;
    final boolean reusePort;

    // guarded by the table
    boolean takenOver;
    boolean released;

    @Nullable
    TcpAcceptor listener;

    PortReservation(PortTable table, IpAddress address, int port, boolean reuseAddress, boolean reusePort) {
        this.table = table;
        this.address = address;
        this.port = port;
        this.reuseAddress = reuseAddress;
        this.reusePort = reusePort;
    }

    @Override
    public IpAddress address() {
        return address;
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void close() {
        table.closeUnlessTakenOver(this);
    }

    /** Whether some connection could be meant for both. */
    boolean overlaps(IpAddress other) {
        if (address.equals(other) || address.equals(IpAddress.ANY6) || other.equals(IpAddress.ANY6)) {
            return true;
        }
        return address.equals(IpAddress.ANY4) && other.isV4() || other.equals(IpAddress.ANY4) && address.isV4();
    }
}
