package dev.millrace.stack.ip;

import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;

/**
 * A path that is aimed anew for each answer to a sender who may not exist (a SYN cookie, the RST for a stray segment), so that forged
 * sources neither fill the path table nor make garbage. {@link #local} and {@link #remote} say nothing but the family. Core thread only.
 */
final class ReplyPath extends IpPath {
    ReplyPath(IpAddress any, NetworkInterface out) {
        super(any, any, out, null, null, out.mtu, 0);
    }

    void aim(long fromHigh, long fromLow, long toHigh, long toLow) {
        localHigh = fromHigh;
        localLow = fromLow;
        remoteHigh = toHigh;
        remoteLow = toLow;
        pseudoHeaderSum = Checksum.pseudoHeader(fromHigh, fromLow, toHigh, toLow, IpProtocol.TCP, 0);
        if (!out.loopback) {
            neighbor = Neighbor.UNKNOWN; // looked up when the packet is sent
        }
    }
}
