package dev.millrace.benchmarks.stress;

import dev.millrace.stack.memory.Chunk;
import dev.millrace.stack.memory.Memory;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * Claim: a chunk has one owner. Whoever takes one finds what it writes there unchanged until it gives it back, also when a
 * chunk is taken and returned again by others between a thread's look at the top of the stack and its compare-and-set.
 */
@JCStressTest
@Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "Every chunk had one owner.")
@Outcome(expect = Expect.FORBIDDEN, desc = "Two threads had the same chunk.")
@State
public class ChunkPoolStress {
    @Actor
    public void core(ZZ_Result r) {
        r.r1 = twoAtOnce(1);
    }

    @Actor
    public void application(ZZ_Result r) {
        r.r2 = twoAtOnce(3);
    }

    /** Takes two and gives them back in the order of a queue, so that the stack is stirred. */
    private boolean twoAtOnce(long mark) {
        Chunk first = owned(mark);
        Chunk second = owned(mark + 1);
        boolean kept = Memory.getLong(first.address) == (mark ^ System.identityHashCode(this));
        Bytes.POOL.give(first);
        kept &= Memory.getLong(second.address) == (mark + 1 ^ System.identityHashCode(this));
        Bytes.POOL.give(second);
        return kept;
    }

    private Chunk owned(long mark) {
        Chunk chunk = Bytes.take();
        if (chunk == null) {
            throw new IllegalStateException("the pool is dry");
        }
        Memory.putLong(chunk.address, mark ^ System.identityHashCode(this));
        return chunk;
    }
}
