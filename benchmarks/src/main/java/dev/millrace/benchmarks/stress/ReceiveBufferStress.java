package dev.millrace.benchmarks.stress;

import dev.millrace.stack.memory.Chunk;
import dev.millrace.stack.memory.ReceiveBuffer;
import java.nio.ByteBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZZ_Result;
import org.openjdk.jcstress.infra.results.IZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** What the core and the application may see of a {@link ReceiveBuffer}. */
public class ReceiveBufferStress {
    private static final int CAPACITY = 1 << 20;

    private ReceiveBufferStress() {}

    /** What every test does with its buffer: a frame's way into it, and the application's read. */
    abstract static class Queue {
        final ReceiveBuffer buffer = new ReceiveBuffer(Bytes.POOL, CAPACITY);
        int read;

        void deliver(int position, int length) {
            buffer.place(position, Bytes.address(position), length);
            buffer.publish(position + length);
        }

        /** Reads and tells whether the bytes are right. */
        boolean readsRight(int most) {
            ByteBuffer target = Bytes.scratch();
            int count = buffer.read(target, 0, most);
            boolean right = Bytes.matches(target, read, Math.max(0, count));
            read += Math.max(0, count);
            return right;
        }
    }

    /** Claim: whoever sees the tail sees the bytes before it; data placed ahead of a gap shows only once the gap is filled. */
    @JCStressTest
    @Outcome(id = "0, true", expect = Expect.ACCEPTABLE, desc = "Nothing yet.")
    @Outcome(id = "8, true", expect = Expect.ACCEPTABLE, desc = "The first word, not what lies behind the gap.")
    @Outcome(id = "24, true", expect = Expect.ACCEPTABLE, desc = "All of it.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "A tail without its bytes, or bytes from behind a gap.")
    @State
    public static class BytesBeforeTheTail extends Queue {
        @Actor
        public void core() {
            buffer.place(16, Bytes.address(16), 8);
            deliver(0, 8);
            buffer.place(8, Bytes.address(8), 8);
            buffer.publish(24);
        }

        @Actor
        public void application(IZ_Result r) {
            r.r2 = readsRight(1024);
            r.r1 = read;
        }

        @Arbiter
        public void end() {
            buffer.dispose();
        }
    }

    /**
     * Claim: chunks are returned only after the application has copied out of them; bytes that arrive while it reads are not
     * put into a chunk that is about to be returned.
     */
    @JCStressTest
    @Outcome(id = "128, true, true", expect = Expect.ACCEPTABLE, desc = "All bytes, all of them right.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Freed memory was read, or bytes were lost.")
    @State
    public static class ReclaimAgainstRead extends Queue {
        public ReclaimAgainstRead() {
            deliver(0, 64);
        }

        @Actor
        public void core(IZZ_Result r) {
            buffer.reclaim();
            r.r2 = Bytes.scribble();
            deliver(64, 64);
        }

        @Actor
        public void application(IZZ_Result r) {
            r.r3 = readsRight(1024);
        }

        @Arbiter
        public void end(IZZ_Result r) {
            r.r3 &= readsRight(1024);
            r.r1 = read;
            buffer.dispose();
        }
    }

    /** Claim: a read against the end of the connection gives right bytes or is refused, never bytes of memory that was given back. */
    @JCStressTest
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "Right bytes, or none.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Freed memory was read.")
    @State
    public static class DisposeAgainstRead extends Queue {
        public DisposeAgainstRead() {
            deliver(0, 2048);
        }

        @Actor
        public void core(ZZ_Result r) {
            buffer.dispose();
            r.r1 = Bytes.scribble();
        }

        @Actor
        public void application(ZZ_Result r) {
            r.r2 = readsRight(2048);
        }
    }

    /** Claim: the ring of chunks may grow while the application reads from the old one. */
    @JCStressTest
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "All bytes, all of them right.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Bytes were lost or mixed up.")
    @State
    public static class GrowthAgainstRead extends Queue {
        private static final int FULL = 4 * Chunk.SIZE;

        public GrowthAgainstRead() {
            deliver(0, FULL);
        }

        @Actor
        public void core() {
            deliver(FULL, 2 * Chunk.SIZE);
        }

        @Actor
        public void application(ZZ_Result r) {
            boolean first = readsRight(Chunk.SIZE + 8);
            r.r1 = readsRight(FULL) && first;
        }

        @Arbiter
        public void end(ZZ_Result r) {
            r.r2 = readsRight(8 * Chunk.SIZE) && read == FULL + 2 * Chunk.SIZE;
            buffer.dispose();
        }
    }
}
