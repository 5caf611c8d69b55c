package dev.millrace.stack.port;

import dev.millrace.stack.memory.Packet;
import org.jspecify.annotations.Nullable;

/** The sending half of a queue pair. One thread at a time. */
public interface TxQueue {
    /** Bytes left free in front of a fresh packet for headers; packets hold at least this plus a full frame. */
    int HEADROOM = 128;

    /** An empty packet with {@link #HEADROOM} reserved, or null when the pool is empty. */
    @Nullable
    Packet allocate();

    /**
     * Sends up to {@code count} frames, in order; returns how many were accepted. The queue owns those from then on. The caller keeps the
     * rest ({@code packets[returned..count)}) and may offer them again, or release them.
     */
    int transmit(Packet[] packets, int count);

    /** Gives back an allocated packet that will not be sent. */
    void release(Packet packet);
}
