package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.wire.IpAddress;
import org.jspecify.annotations.Nullable;

/** What TCP needs from the layers below; the core wires it to IP and a port. Core thread only. */
public interface SegmentOutput {
    /** Order in which a turn's packets leave: control segments (SYN, FIN, RST) first, then pure ACKs, then data (mTCP). */
    enum Kind {
        CONTROL,
        ACK,
        DATA
    }

    /** The path, or null when there is no route. */
    @Nullable
    Path path(IpAddress local, IpAddress remote);

    /**
     * The path of one answer to a sender who may not exist: nothing is remembered of it, so that forged sources cost no memory. Valid
     * until the next call; null when there is no route.
     */
    @Nullable
    Path replyPath(long localHigh, long localLow, long remoteHigh, long remoteLow);

    /** The own address to use towards {@code remote} (RFC 6724 §5), or null when there is no route. */
    @Nullable
    IpAddress sourceFor(IpAddress remote);

    /**
     * An empty packet, its window where the TCP header belongs, or null when packets or ring space are short: the caller keeps its state as
     * if it had not tried, and tries again in {@code Tcp.onOutputAvailable}.
     */
    @Nullable
    Packet allocate(Path path);

    /**
     * Sends what stands in the packet's window: TCP header, checksum field zero, and payload. Adds checksum, IP and link headers.
     * Takes the packet. {@code trafficClass} is the whole octet, ECN bits included.
     */
    void send(Packet packet, Path path, int trafficClass, Kind kind, long nowNs);
}
