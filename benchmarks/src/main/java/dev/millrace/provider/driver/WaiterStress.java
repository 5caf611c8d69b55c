package dev.millrace.provider.driver;

import java.util.concurrent.atomic.AtomicBoolean;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Claim: no wake-up is lost. A thread that announces its sleep and then finds its condition false will be unparked by the
 * thread that makes it true, also when that publishes with release order only.
 */
@JCStressTest
@Outcome(id = "true, false", expect = Expect.ACCEPTABLE, desc = "It saw the condition; nobody had to wake it.")
@Outcome(id = "false, true", expect = Expect.ACCEPTABLE, desc = "It went to sleep and was woken.")
@Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "It saw the condition, and was woken needlessly.")
@Outcome(id = "false, false", expect = Expect.FORBIDDEN, desc = "It sleeps for ever.")
@State
public class WaiterStress {
    private final RecordingWaiter waiter = new RecordingWaiter();

    /** Its condition is a plain flag with acquire and release order, the weakest that a user of Waiter may have. */
    private static final class RecordingWaiter extends Waiter {
        private final AtomicBoolean ready = new AtomicBoolean();
        private boolean woken;

        @Override
        protected boolean isSatisfied() {
            return ready.getAcquire();
        }

        @Override
        protected void unpark(Thread sleeper) {
            woken = true;
        }
    }

    @Actor
    public void sleeper(ZZ_Result r) {
        waiter.announcePark();
        r.r1 = waiter.isSatisfied();
    }

    @Actor
    public void core(ZZ_Result r) {
        waiter.ready.setRelease(true);
        waiter.signal();
        r.r2 = waiter.woken;
    }
}
