package dev.millrace.stack.udp;

/**
 * What an application may set on a datagram socket. Written by the application; cores read the fields whenever they come by, so each takes
 * effect with one of the next datagrams.
 */
public final class UdpOptions {
    /** Linux' net.core.rmem_default and wmem_default. */
    public static final int DEFAULT_BUFFER_BYTES = 212_992;

    /** SO_RCVBUF: bytes of received datagrams, headers of {@code DatagramQueue} included, beyond which more are dropped. */
    public volatile int receiveBufferBytes = DEFAULT_BUFFER_BYTES;

    /** SO_SNDBUF: bytes that wait for the core, counted alike. */
    public volatile int sendBufferBytes = DEFAULT_BUFFER_BYTES;

    /** IP_TOS: the whole octet. */
    public volatile int trafficClass;

    /** IP_DONTFRAGMENT (Linux' IP_PMTUDISC_DO): what the path does not take in one packet is refused. */
    public volatile boolean dontFragment;

    /** SO_REUSEADDR, as it was when the socket was bound. */
    public volatile boolean reuseAddress;

    /** SO_REUSEPORT, as it was when the socket was bound. */
    public volatile boolean reusePort;
}
