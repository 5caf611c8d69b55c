package dev.millrace.benchmarks.stress;

import dev.millrace.io.dpdk.BurstGate;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.Z_Result;

/**
 * Claim: between {@code shut} and {@code open} no burst is under way: what is taken away then, and is back before the gate opens, no burst ever misses.
 */
@JCStressTest
@Outcome(id = "true", expect = Expect.ACCEPTABLE, desc = "The burst found the memory mapped, or did not run.")
@Outcome(expect = Expect.FORBIDDEN, desc = "A burst touched memory that was unmapped.")
@State
public class BurstGateStress {
    private final BurstGate gate = new BurstGate();
    private boolean mapped = true;

    @Actor
    public void burst(Z_Result r) {
        boolean found = true;
        if (gate.enter()) {
            found = mapped;
            gate.leave();
        }
        r.r1 = found;
    }

    @Actor
    public void callback() {
        gate.shut();
        mapped = false;
        mapped = true;
        gate.open();
    }
}
