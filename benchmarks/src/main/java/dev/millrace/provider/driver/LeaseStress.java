package dev.millrace.provider.driver;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;

/** Claim: the lease has one holder at a time, and what a holder did to the core's plain fields the next one sees. */
@JCStressTest
@Outcome(id = "1, 0, 1", expect = Expect.ACCEPTABLE, desc = "The second came while the first held it.")
@Outcome(id = "0, 1, 1", expect = Expect.ACCEPTABLE, desc = "The first came while the second held it.")
@Outcome(id = "1, 2, 2", expect = Expect.ACCEPTABLE, desc = "One after the other.")
@Outcome(id = "2, 1, 2", expect = Expect.ACCEPTABLE, desc = "One after the other.")
@Outcome(expect = Expect.FORBIDDEN, desc = "Both at once, or a turn that the next holder did not see.")
@State
public class LeaseStress {
    private final Lease lease = new Lease();
    private int turns;

    @Actor
    public void selector(III_Result r) {
        r.r1 = turn();
    }

    @Actor
    public void caretaker(III_Result r) {
        r.r2 = turn();
    }

    @Arbiter
    public void end(III_Result r) {
        r.r3 = turns;
    }

    /** The turn's number, or 0 when the lease was taken. */
    private int turn() {
        if (!lease.tryAcquire()) {
            return 0;
        }
        int number = ++turns;
        lease.release();
        return number;
    }
}
