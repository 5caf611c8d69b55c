package dev.millrace.io;

import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;

/** A port around another: what a decorator does not say otherwise is as beneath. Threads as for {@link Port}. */
public abstract class PortDecorator implements Port {
    protected final Port inner;
    private boolean closed;

    protected PortDecorator(Port inner) {
        this.inner = inner;
    }

    @Override
    public final String name() {
        return inner.name();
    }

    @Override
    public final long mac() {
        return inner.mac();
    }

    @Override
    public int mtu() {
        return inner.mtu();
    }

    @Override
    public PortCapabilities capabilities() {
        return inner.capabilities();
    }

    @Override
    public int queues() {
        return inner.queues();
    }

    @Override
    public RxQueue rx(int queue) {
        return inner.rx(queue);
    }

    @Override
    public TxQueue tx(int queue) {
        return inner.tx(queue);
    }

    @Override
    public final boolean linkUp() {
        return inner.linkUp();
    }

    @Override
    public PortStatistics statistics() {
        return inner.statistics();
    }

    /** Closes the port beneath, then what the decorator has. */
    @Override
    public final synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        inner.close();
        closeOwn();
    }

    /** Gives back what the decorator has itself; called once, after the port beneath is closed. */
    protected abstract void closeOwn();
}
