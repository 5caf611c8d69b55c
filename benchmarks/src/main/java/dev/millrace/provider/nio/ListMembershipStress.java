package dev.millrace.provider.nio;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Claim: a key that becomes ready while its selector takes it off the active list, because it was not, is found: either the core
 * offers it again or the selecting thread keeps it; and never both, or it would be on the list twice. Readiness is published with release
 * order only, as connections do.
 */
@JCStressTest
@Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "The core offers it.")
@Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "It stays on the list.")
@Outcome(id = "false, false", expect = Expect.FORBIDDEN, desc = "Ready, and nobody knows.")
@Outcome(id = "true, true", expect = Expect.FORBIDDEN, desc = "On the list twice.")
@State
public class ListMembershipStress {
    private final ListMembership membership = new ListMembership();
    private final AtomicBoolean ready = new AtomicBoolean();

    public ListMembershipStress() {
        membership.join();
    }

    @Actor
    public void core(ZZ_Result r) {
        ready.setRelease(true);
        VarHandle.fullFence(); // as Registrations.onReadiness
        r.r1 = !membership.isMember() && membership.join();
    }

    @Actor
    public void selector(ZZ_Result r) {
        membership.leave();
        r.r2 = ready.getAcquire() && membership.join();
    }
}
