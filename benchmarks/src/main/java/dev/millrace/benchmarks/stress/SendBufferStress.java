package dev.millrace.benchmarks.stress;

import dev.millrace.stack.memory.Chunk;
import dev.millrace.stack.memory.SendBuffer;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZ_Result;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** What the application and the core may see of a {@link SendBuffer}. */
public class SendBufferStress {
    private static final int CAPACITY = 1 << 20;

    private SendBufferStress() {}

    /** What every test does with its buffer: the core's copy out of it, and giving the memory back. */
    abstract static class Queue {
        final SendBuffer buffer = new SendBuffer(Bytes.POOL, CAPACITY);
        private final ByteBuffer source = Bytes.source();

        int write(int position, int length) {
            return buffer.write(source, position, length);
        }

        /** Whether the core copies the right bytes. */
        boolean holds(long position, int length) {
            ByteBuffer copy = Bytes.scratch();
            buffer.copyTo(position, MemorySegment.ofBuffer(copy).address(), length);
            return Bytes.matches(copy, position, length);
        }
    }

    /** Claim: whoever sees the tail sees the bytes before it, also when they came in two writes. */
    @JCStressTest
    @Outcome(id = "0, true", expect = Expect.ACCEPTABLE, desc = "Neither write is seen.")
    @Outcome(id = "8, true", expect = Expect.ACCEPTABLE, desc = "The first is seen, with its bytes.")
    @Outcome(id = "24, true", expect = Expect.ACCEPTABLE, desc = "Both are seen, with their bytes.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "A tail without its bytes.")
    @State
    public static class BytesBeforeTheTail extends Queue {
        @Actor
        public void application() {
            write(0, 8);
            write(8, 16);
        }

        @Actor
        public void core(IZ_Result r) {
            int tail = (int) buffer.tailAcquire();
            r.r1 = tail;
            r.r2 = holds(0, tail);
        }

        @Arbiter
        public void end() {
            buffer.dispose();
        }
    }

    /**
     * Claim: when the last byte is acknowledged while the application goes on writing, the chunk that both are in is
     * either returned before the write, which then begins a fresh one, or stays; what is written is never lost.
     */
    @JCStressTest
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "Nothing was lost, nothing freed was written to.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "A freed chunk was written to, or a written one freed.")
    @State
    public static class ReleaseOfTheTailAgainstWrite extends Queue {
        public ReleaseOfTheTailAgainstWrite() {
            write(0, 64);
        }

        @Actor
        public void application() {
            write(64, 64);
        }

        @Actor
        public void core(ZZ_Result r) {
            buffer.releaseTo(64);
            r.r1 = Bytes.scribble();
        }

        @Arbiter
        public void end(ZZ_Result r) {
            r.r2 = holds(64, 64);
            buffer.dispose();
        }
    }

    /** Claim: a write against the end of the connection is complete or refused; none writes to memory that was given back. */
    @JCStressTest
    @Outcome(id = "-1, true", expect = Expect.ACCEPTABLE, desc = "Refused.")
    @Outcome(id = "2048, true", expect = Expect.ACCEPTABLE, desc = "Taken before the end.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Freed memory was written to.")
    @State
    public static class DisposeAgainstWrite extends Queue {
        public DisposeAgainstWrite() {
            write(0, 64);
        }

        @Actor
        public void application(IZ_Result r) {
            r.r1 = write(64, 2048);
        }

        @Actor
        public void core(IZ_Result r) {
            buffer.dispose();
            r.r2 = Bytes.scribble();
        }
    }

    /** Claim: the ring of chunks may grow while the core releases chunks of the old one; no byte is lost, no chunk is returned twice. */
    @JCStressTest
    @Outcome(id = "true, true", expect = Expect.ACCEPTABLE, desc = "Everything after the release is there.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Bytes were lost or a chunk was shared.")
    @State
    public static class GrowthAgainstRelease extends Queue {
        private static final int FULL = 4 * Chunk.SIZE;

        public GrowthAgainstRelease() {
            write(0, FULL);
        }

        @Actor
        public void application() {
            write(FULL, 2 * Chunk.SIZE);
        }

        @Actor
        public void core(ZZ_Result r) {
            buffer.releaseTo(Chunk.SIZE + 8);
            r.r1 = Bytes.scribble() && holds(Chunk.SIZE + 8, 64);
        }

        @Arbiter
        public void end(ZZ_Result r) {
            r.r2 = holds(Chunk.SIZE + 8, FULL + Chunk.SIZE - 8);
            buffer.dispose();
        }
    }
}
