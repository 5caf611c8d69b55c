package dev.millrace.provider.nio;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Whether a key is in its selector's ready queue or on its active list, of which it is in one, once. Whoever makes the key ready and then
 * fails to {@link #join} may rely on the selecting thread to see that; the selecting thread, which leaves and then looks once more, relies on
 * the others to join. Both put a fence between their write and their look, so that one of them sees the other's.
 */
final class ListMembership {
    private static final VarHandle MEMBER;

    static {
        try {
            MEMBER = MethodHandles.lookup().findVarHandle(ListMembership.class, "member", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile boolean member;

    /** A cheap look: when true, {@link #join} would fail. Any thread, with a fence since the key became ready. */
    boolean isMember() {
        return member;
    }

    /** Whether the caller is the one to put the key into the queue or on the list. Any thread. */
    boolean join() {
        return MEMBER.compareAndSet(this, false, true);
    }

    /** The key is off the list; the caller looks after this whether it is ready, and if so tries to {@link #join}. Selecting thread. */
    void leave() {
        member = false;
        VarHandle.fullFence();
    }
}
