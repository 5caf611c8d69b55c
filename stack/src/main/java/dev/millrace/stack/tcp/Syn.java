package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.SendBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What a SYN or SYN+ACK of ours is to say. A flyweight: a core has one and refills it for each; nobody keeps it. {@code SegmentWriter}
 * makes the segment.
 */
final class Syn {
    int localPort;
    int remotePort;
    int sequence;
    int acknowledgment;
    int flags;
    int window;
    int mss;
    boolean sackPermitted;
    boolean hasTimestamps;
    int timestampValue;
    int timestampEcho;
    /** −1 leaves the option out. */
    int windowScale;

    int trafficClass;
    /** Length of the Fast Open cookie; 0 asks for one, −1 leaves the option out. */
    int fastOpenBytes = -1;

    long fastOpenHigh;
    long fastOpenLow;
    /** In the form it had before RFC 7413. */
    boolean fastOpenExperimental;
    /** Text that goes with the SYN: the first {@code textBytes} of this buffer. */
    int textBytes;

    @Nullable
    SendBuffer text;

    void withoutFastOpen() {
        fastOpenBytes = -1;
        fastOpenExperimental = false;
        textBytes = 0;
        text = null;
    }
}
