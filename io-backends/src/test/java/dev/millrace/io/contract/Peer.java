package dev.millrace.io.contract;

import org.jspecify.annotations.Nullable;

/** The other end of the link under test: puts frames in, takes frames out. One thread at a time. */
public interface Peer {
    /** Sends a frame towards the port under test; false when it has no room now. */
    boolean offer(byte[] frame);

    /** A frame that the port under test has sent, or null when there is none now. */
    byte @Nullable [] poll();
}
