package dev.millrace.benchmarks.stress;

import dev.millrace.stack.memory.Chunk;
import dev.millrace.stack.memory.DatagramHeader;
import dev.millrace.stack.memory.DatagramQueue;
import java.nio.ByteBuffer;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IZ_Result;

/** What the consumer of a {@link DatagramQueue} may see of its producer. */
public class DatagramQueueStress {
    private DatagramQueueStress() {}

    /** A producer whose datagrams hold the stream from position 0 on, and name their length as port. */
    abstract static class Queue {
        final DatagramQueue queue = new DatagramQueue(Bytes.POOL);
        private final ByteBuffer source = Bytes.source();
        private final DatagramHeader written = new DatagramHeader();
        private final DatagramHeader read = new DatagramHeader();

        void offer(int length) {
            written.remotePort = length & 0xffff;
            written.remoteLow = length;
            if (!queue.offer(written, source, 0, length)) {
                throw new IllegalStateException("the pool is dry");
            }
        }

        /** Takes what is there; how many bytes, and whether all of it was right. */
        void drain(IZ_Result r) {
            r.r2 = true;
            while (queue.peek(read)) {
                ByteBuffer copy = Bytes.scratch();
                queue.copyTo(copy, 0, read.length);
                r.r2 &= read.remoteLow == read.length
                        && read.remotePort == (read.length & 0xffff)
                        && Bytes.matches(copy, 0, read.length);
                r.r1 += read.length;
                queue.release();
            }
        }
    }

    /** Claim: a datagram is seen whole or not at all, and in order. */
    @JCStressTest
    @Outcome(id = "0, true", expect = Expect.ACCEPTABLE, desc = "Neither is seen.")
    @Outcome(id = "64, true", expect = Expect.ACCEPTABLE, desc = "The first is seen, whole.")
    @Outcome(id = "192, true", expect = Expect.ACCEPTABLE, desc = "Both are seen, whole.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "A part of a datagram, or the second before the first.")
    @State
    public static class WholeDatagrams extends Queue {
        @Actor
        public void producer() {
            offer(64);
            offer(128);
        }

        @Actor
        public void consumer(IZ_Result r) {
            drain(r);
        }

        @Arbiter
        public void end() {
            queue.dispose();
        }
    }

    /**
     * Claim: while the consumer returns chunks, the producer goes on in the one that both are in, takes others, and makes the ring of
     * chunks wider; nothing is lost, and no chunk is returned that holds what was not read.
     */
    @JCStressTest
    @Outcome(id = "36928, true", expect = Expect.ACCEPTABLE, desc = "Everything is read, in the end.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Bytes were lost, or a returned chunk was read or written.")
    @State
    public static class ReturnOfChunksAgainstGrowth extends Queue {
        private final IZ_Result early = new IZ_Result();
        private boolean kept = true;

        public ReturnOfChunksAgainstGrowth() {
            offer(64);
            offer(3 * Chunk.SIZE);
        }

        @Actor
        public void producer() {
            offer(5 * Chunk.SIZE);
            offer(Chunk.SIZE);
        }

        @Actor
        public void consumer() {
            drain(early);
            kept = Bytes.scribble();
        }

        @Arbiter
        public void end(IZ_Result r) {
            drain(r);
            r.r1 += early.r1;
            r.r2 &= early.r2 && kept;
            queue.dispose();
        }
    }
}
