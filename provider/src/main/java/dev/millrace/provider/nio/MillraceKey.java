package dev.millrace.provider.nio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.spi.AbstractSelectableChannel;
import java.nio.channels.spi.AbstractSelectionKey;
import org.jspecify.annotations.Nullable;

/**
 * A channel's registration with a {@link MillraceSelector}: a channel of ours, whose stack side reports readiness through
 * {@link #onReadiness}, or a JDK channel, which has a key in the selector's inner JDK selector; a channel of ours that the kernel
 * serves, wholly or too, has both.
 *
 * <p>Level triggering at O(ready): a core that finds the key a member of the selector's lists already does nothing
 * ({@link ListMembership}).
 */
final class MillraceKey extends AbstractSelectionKey {
    private static final VarHandle INTEREST;
    private static final VarHandle UPDATED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            INTEREST = lookup.findVarHandle(MillraceKey.class, "interest", int.class);
            UPDATED = lookup.findVarHandle(MillraceKey.class, "updated", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final MillraceSelector selector;
    private final SelectableChannel channel;
    /** Null for a channel that is none of ours. */
    private final @Nullable StackEndpoint endpoint;

    // any thread
    private volatile int interest;
    private final ListMembership membership = new ListMembership();
    private volatile boolean updated;

    // guarded by this key's monitor
    private @Nullable SelectionKey kernel;
    private boolean withdrawn;

    // written by the selecting thread
    private volatile int ready;
    /** The interest that a selection has taken note of; a change counts from the next selection on. */
    private volatile int armed;

    // the selecting thread's own
    int activeIndex = -1;
    int selectedIndex = -1;
    /** What the inner selector reported since the last look. */
    int kernelReady;

    boolean usesStack;

    MillraceKey(MillraceSelector selector, SelectableChannel channel, @Nullable StackEndpoint endpoint, int interest) {
        this.selector = selector;
        this.channel = channel;
        this.endpoint = endpoint;
        this.interest = interest;
    }

    @Override
    public SelectableChannel channel() {
        return channel;
    }

    @Override
    public Selector selector() {
        return selector;
    }

    MillraceSelector owner() {
        return selector;
    }

    @Nullable
    StackEndpoint endpoint() {
        return endpoint;
    }

    @Override
    public int interestOps() {
        ensureValid();
        return interest;
    }

    @Override
    public SelectionKey interestOps(int ops) {
        ensureValid();
        checkOps(ops);
        interestChanged((int) INTEREST.getAndSet(this, ops), ops);
        return this;
    }

    @Override
    public int interestOpsOr(int ops) {
        ensureValid();
        checkOps(ops);
        int old = (int) INTEREST.getAndBitwiseOr(this, ops);
        interestChanged(old, old | ops);
        return old;
    }

    @Override
    public int interestOpsAnd(int ops) {
        ensureValid();
        int old = (int) INTEREST.getAndBitwiseAnd(this, ops);
        interestChanged(old, old & ops);
        return old;
    }

    private void checkOps(int ops) {
        if ((ops & ~channel.validOps()) != 0) {
            throw new IllegalArgumentException();
        }
    }

    private void interestChanged(int from, int to) {
        if (from == to) {
            return;
        }
        if (endpoint == null || endpoint.kernelChannel() != null) {
            tellKernel();
        }
        if (endpoint != null) {
            requestUpdate();
        }
    }

    /** Serialised, so that the last of several racing changes is the one that stays. */
    private synchronized void tellKernel() {
        SelectionKey inner = kernel;
        if (inner != null) {
            try {
                inner.interestOps(kernelInterest());
            } catch (CancelledKeyException e) {
                // the JDK channel was closed just now; the same close is about to cancel this key too
                assert !inner.isValid();
            }
        }
    }

    /** Makes the next selection take note of the interest set. Any thread. */
    void requestUpdate() {
        if (!updated && UPDATED.compareAndSet(this, false, true)) {
            selector.offerUpdate(this);
        }
    }

    @Override
    public int readyOps() {
        ensureValid();
        return ready;
    }

    private void ensureValid() {
        if (!isValid()) {
            throw new CancelledKeyException();
        }
    }

    /** What selections use; no key is ever too cancelled for them. */
    int lastReady() {
        return ready;
    }

    void ready(int ops) {
        ready = ops;
    }

    int currentInterest() {
        return interest;
    }

    /** The stack's side may have become ready. Core thread, after a fence. */
    void onReadiness() {
        if (!membership.isMember() && stackReady() != 0 && membership.join()) {
            selector.offerReady(this);
        }
    }

    /** Ready operations of the stack's side, of those that are both armed and still wanted. */
    int stackReady() {
        return endpoint == null ? 0 : endpoint.readyOps(armed & interest);
    }

    /** Takes note of the interest set; true when the key belongs on the active list and is not there. Selecting thread. */
    boolean arm() {
        updated = false;
        armed = interest;
        VarHandle.fullFence();
        return stackReady() != 0 && membership.join();
    }

    /** The key leaves the active list; true when it has become ready again meanwhile and must stay. Selecting thread. */
    boolean unqueue() {
        membership.leave();
        return stackReady() != 0 && membership.join();
    }

    /** Consumes what the inner selector reported. Selecting thread. */
    int takeKernelReady() {
        int ops = kernelReady & interest;
        kernelReady = 0;
        return ops;
    }

    // ---- the kernel's side ----

    /**
     * Registers {@code kernelChannel} with the selector's inner JDK selector, unless that has happened or the key is gone, and tells it what is of
     * interest.
     */
    synchronized void enroll(AbstractSelectableChannel kernelChannel) throws ClosedChannelException {
        if (kernel == null && !withdrawn) {
            kernel = selector.kernelSelector().enroll(kernelChannel, kernelInterest(), this);
        }
        tellKernel(); // it may have changed while there was no key to tell, or the endpoint has
    }

    private int kernelInterest() {
        return endpoint == null ? interest : endpoint.kernelInterest(interest);
    }

    /** Gives the inner key up, and admits no other. */
    synchronized boolean withdraw() {
        withdrawn = true;
        return leaveKernel();
    }

    /** Cancels the inner key of a key that is cancelled itself, so that the JDK channel may change its blocking mode. */
    synchronized boolean leaveKernel() {
        SelectionKey inner = kernel;
        if (inner == null) {
            return false;
        }
        inner.cancel();
        return true;
    }

    @Override
    public String toString() {
        String state = isValid() ? ", interestOps=" + interest + ", readyOps=" + ready : ", invalid";
        return "channel=" + channel + ", selector=" + selector + state;
    }
}
