package dev.millrace.provider;

import dev.millrace.stack.core.Stack;
import dev.millrace.stack.core.StackCore;

/**
 * The end of the process as its peers see it. The kernel goes on delivering what an ended process has written; here nobody does after
 * us, so the JVM's end waits for it, within a bound. The caller has taken every core for good.
 */
final class Drain {
    /** How long to sleep in one core's port before looking at the others. */
    private static final long NAP_NS = 1_000_000;

    private Drain() {}

    /** Closes every connection and turns the cores until each peer has acknowledged everything, or {@code limitNs} has passed. */
    static void finish(Stack stack, long limitNs) {
        long now = System.nanoTime();
        long endNs = now + limitNs;
        for (int shard = 0; shard < stack.shards(); shard++) {
            stack.core(shard).closeGracefully();
        }
        do {
            int work = 0;
            for (int shard = 0; shard < stack.shards(); shard++) {
                work += stack.core(shard).turn(now);
            }
            if (work == 0) {
                if (!isSending(stack)) {
                    return;
                }
                stack.core(0).await(NAP_NS);
            }
            now = System.nanoTime();
        } while (now - endNs < 0);
    }

    private static boolean isSending(Stack stack) {
        for (int shard = 0; shard < stack.shards(); shard++) {
            StackCore core = stack.core(shard);
            if (core.isSending()) {
                return true;
            }
        }
        return false;
    }
}
