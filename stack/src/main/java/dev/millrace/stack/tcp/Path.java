package dev.millrace.stack.tcp;

import dev.millrace.stack.wire.IpAddress;

/**
 * How segments get from a local address to a remote one. Made by the IP layer, which keeps next hop and header template in its
 * subclass; TCP reads sizes. Belongs to one core. One per (local, remote) pair, shared by its connections.
 */
public abstract class Path {
    public final IpAddress local;
    public final IpAddress remote;

    protected Path(IpAddress local, IpAddress remote) {
        this.local = local;
        this.remote = remote;
    }

    /** Largest IP packet in bytes that gets through as far as is known (RFC 1191, 8201). May shrink and grow. */
    public abstract int mtu();

    /** Bytes of the IP header without options: 20 or 40. */
    public final int ipHeaderBytes() {
        return local.isV4() ? 20 : 40;
    }

    /** Bytes of TCP header with options and payload that fit a packet now. */
    public final int segmentBytes() {
        return mtu() - ipHeaderBytes();
    }

    /** Evidence from above that the neighbour is alive (RFC 4861 §7.3.1): an acknowledgment of new data came. Cheap. */
    public abstract void confirm(long nowNs);

    /**
     * A router on the way takes no packet larger than {@code mtu} (RFC 1191, 8201). Called only once the quoted segment has been
     * checked against what is in flight (RFC 5927 §7). Never raises {@link #mtu()}; the path tries larger ones again after ten minutes.
     */
    public abstract void onPacketTooBig(int mtu, long nowNs);
}
