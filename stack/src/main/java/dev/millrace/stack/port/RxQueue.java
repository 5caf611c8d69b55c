package dev.millrace.stack.port;

import dev.millrace.stack.memory.Packet;

/** The receiving half of a queue pair. One thread at a time, except {@link #wake}. */
public interface RxQueue {
    /** Takes up to {@code max} frames into {@code into[0..]} without waiting; returns how many. They stay valid until released. */
    int receive(Packet[] into, int max);

    /** Gives frames back. Every received frame is released exactly once, before the next {@link #receive} at the latest. */
    void release(Packet[] packets, int count);

    /**
     * Blocks until a frame may be there, {@link #wake} is called (also just before), the timeout passes, or the thread is
     * interrupted (the flag stays set). May return early for no reason. A {@link #wake} is never lost.
     */
    void await(long timeoutNs);

    /** False when a frame is known to wait. A port that only the device itself can ask answers true. */
    default boolean isEmpty() {
        return true;
    }

    /** Ends a current or the next {@link #await}. Any thread. */
    void wake();
}
