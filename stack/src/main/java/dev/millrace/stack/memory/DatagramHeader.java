package dev.millrace.stack.memory;

/**
 * What is known of one datagram beside its payload, IPv4 addresses in mapped form. A flyweight: each side of a {@link DatagramQueue} has
 * one and refills it; nobody keeps it. Not thread-safe.
 */
public final class DatagramHeader {
    public long localHigh;
    public long localLow;
    public int localPort;
    public long remoteHigh;
    public long remoteLow;
    public int remotePort;
    /** Type of service or traffic class octet. */
    public int trafficClass;
    /** Bytes of the payload; set by {@link DatagramQueue#peek}. */
    public int length;
}
