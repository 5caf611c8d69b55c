package dev.millrace.stack.port;

/**
 * One attachment to a link: a network interface as the stack sees it, with as many queue pairs as there are shards.
 *
 * <p>Each queue pair belongs to one core and is used by one thread at a time (the holder of that core's lease); different
 * queues may be used concurrently. Frames are Ethernet II without FCS. Opened by a {@link LinkFactory}; decorators wrap it.
 */
public interface Port extends AutoCloseable {
    /** What the user wrote as {@code link}, for messages and metrics. */
    String name();

    /** Hardware address in the low 48 bits; 0 on a loopback. */
    long mac();

    /** Largest IP packet in bytes (without the Ethernet header). */
    int mtu();

    PortCapabilities capabilities();

    /** Queue pairs; at least one. */
    int queues();

    RxQueue rx(int queue);

    TxQueue tx(int queue);

    /** False while the cable is out or the peer of a shared-memory link is away. Any thread. */
    boolean linkUp();

    /** Frames and bytes that this port itself lost or refused (ring full, too large …), by name; for counters. Any thread. */
    PortStatistics statistics();

    /** Gives back the device and every resource; idempotent. No queue may be in use. */
    @Override
    void close();
}
