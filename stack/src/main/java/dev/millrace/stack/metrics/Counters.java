package dev.millrace.stack.metrics;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** One core's counters. Written by the core alone with plain adds published opaquely; any thread may read a recent value. */
public final class Counters {
    private static final VarHandle VALUE = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] values = new long[Counter.values().length];

    /** Core only. */
    public void increment(Counter counter) {
        add(counter, 1);
    }

    /** Core only. */
    public void add(Counter counter, long amount) {
        int index = counter.ordinal();
        VALUE.setOpaque(values, index, values[index] + amount);
    }

    /** Any thread; may lag by a moment. */
    public long get(Counter counter) {
        return (long) VALUE.getOpaque(values, counter.ordinal());
    }
}
