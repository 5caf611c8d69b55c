package dev.millrace.compat.simulate;

import dev.millrace.stack.wire.IpAddress;

/** A TCP segment to be written, field by field, with whatever values; the checksums come out right. One thread. */
final class Segment {
    static final int FIN = 1;
    static final int SYN = 2;
    static final int RST = 4;
    static final int PSH = 8;
    static final int ACK = 16;

    private static final byte[] NOTHING = {};

    IpAddress source;
    IpAddress destination;
    long sourceMac;
    long destinationMac;
    int sourcePort;
    int destinationPort;
    int sequence;
    int acknowledgment;
    int flags;
    int window = 65_535;
    int urgent;
    /** A multiple of four bytes. */
    byte[] options = NOTHING;

    byte[] payload = NOTHING;

    Segment(
            IpAddress source,
            long sourceMac,
            int sourcePort,
            IpAddress destination,
            long destinationMac,
            int destinationPort) {
        this.source = source;
        this.sourceMac = sourceMac;
        this.sourcePort = sourcePort;
        this.destination = destination;
        this.destinationMac = destinationMac;
        this.destinationPort = destinationPort;
    }

    /** No-operation twice and a timestamps option (RFC 7323 §3.2). */
    static byte[] timestamps(int value, int echo) {
        byte[] option = new byte[12];
        Frames.put32(option, 0, 0x0101_080a);
        Frames.put32(option, 4, value);
        Frames.put32(option, 8, echo);
        return option;
    }

    /** No-operation twice and a SACK option (RFC 2018 §3) of at most three blocks, given as left and right edges in turn. */
    static byte[] sack(int... edges) {
        byte[] option = new byte[4 + 4 * edges.length];
        Frames.put32(option, 0, 0x0101_0500 | 2 + 4 * edges.length);
        for (int i = 0; i < edges.length; i++) {
            Frames.put32(option, 4 + 4 * i, edges[i]);
        }
        return option;
    }

    byte[] frame() {
        int header = 20 + options.length;
        byte[] tcp = new byte[header + payload.length];
        Frames.put16(tcp, 0, sourcePort);
        Frames.put16(tcp, 2, destinationPort);
        Frames.put32(tcp, 4, sequence);
        Frames.put32(tcp, 8, acknowledgment);
        Frames.put16(tcp, 12, header / 4 << 12 | flags);
        Frames.put16(tcp, 14, window);
        Frames.put16(tcp, 18, urgent);
        System.arraycopy(options, 0, tcp, 20, options.length);
        System.arraycopy(payload, 0, tcp, header, payload.length);
        byte[] frame = Frames.ip(source, destination, Frames.TCP, 0, tcp, sourceMac, destinationMac);
        Frames.putTcpChecksum(frame);
        return frame;
    }
}
