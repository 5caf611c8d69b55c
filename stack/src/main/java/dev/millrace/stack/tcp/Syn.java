package dev.millrace.stack.tcp;

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
    boolean sackPermitted;
    boolean hasTimestamps;
    int timestampValue;
    int timestampEcho;
    /** −1 leaves the option out. */
    int windowScale;

    int trafficClass;
}
