package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.memory.SendBuffer;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.wire.TcpHeader;
import dev.millrace.stack.wire.TcpSegment;
import org.jspecify.annotations.Nullable;

/**
 * Builds segments in fresh packets and hands them to the output. Every method answers false when no packet was to be had; nothing
 * has changed then. One per core; core thread only.
 */
final class SegmentWriter {
    /** To be filled in for {@link #send(Path, Syn, long)}. */
    final Syn syn = new Syn();

    private final SegmentOutput output;
    private TcpFeatures features;
    private final Counters counters;
    private final int[] sackLeft = new int[TcpSegment.MAX_SACK_BLOCKS];
    private final int[] sackRight = new int[TcpSegment.MAX_SACK_BLOCKS];

    SegmentWriter(SegmentOutput output, TcpFeatures features, Counters counters) {
        this.features = features;
        this.output = output;
        this.counters = counters;
    }

    void features(TcpFeatures changed) {
        features = changed;
    }

    /** A segment of a synchronised connection; {@code [position, position + length)} of its send buffer is the payload. */
    boolean segment(
            TcpConnection connection, long position, int length, int flags, SegmentOutput.Kind kind, long nowNs) {
        Packet packet = output.allocate(connection.path);
        if (packet == null) {
            return false;
        }
        boolean newText = length > 0 && position == connection.sender.nxt && !connection.sender.isSynText(position);
        connection.tally.onSent(length, !newText);
        Receiver receiver = connection.receiver;
        Timestamps timestamps = receiver.timestamps;
        int blocks = receiver.sackBlocks(sackLeft, sackRight);
        long at = packet.address;
        int headerBytes = TcpHeader.MIN_BYTES + TcpHeader.optionBytes(timestamps.enabled, blocks);
        int urgentPointer = connection.urgent.pointerFrom(position, connection.sender.una, connection.sender.nxt);
        TcpHeader.write(
                at,
                connection.localPort,
                connection.remotePort,
                connection.sender.sequenceOf(position),
                receiver.sequence(),
                headerBytes,
                flags | connection.ecn.flags(newText) | (urgentPointer == 0 ? 0 : TcpSegment.URG),
                receiver.windowToAdvertise());
        if (urgentPointer != 0) {
            TcpHeader.urgentPointer(at, urgentPointer);
        }
        if (headerBytes > TcpHeader.MIN_BYTES) {
            TcpHeader.writeOptions(
                    at + TcpHeader.MIN_BYTES,
                    timestamps.enabled,
                    timestamps.value(nowNs),
                    timestamps.recent,
                    sackLeft,
                    sackRight,
                    blocks);
        }
        if (length > 0) {
            connection.sender.buffer.copyTo(position, at + headerBytes, length);
        }
        packet.length = headerBytes + length;
        send(packet, connection.path, connection.ecn.trafficClass(connection.trafficClass, newText), kind, nowNs);
        receiver.onAckSent(length > 0, nowNs);
        return true;
    }

    /** SYN of an active open, or SYN+ACK of a simultaneous one. */
    boolean syn(TcpConnection connection, boolean withAck, long nowNs) {
        syn.withoutFastOpen();
        Receiver receiver = connection.receiver;
        Timestamps timestamps = receiver.timestamps;
        syn.localPort = connection.localPort;
        syn.remotePort = connection.remotePort;
        syn.sequence = connection.sender.iss;
        syn.flags = TcpSegment.SYN | (withAck ? TcpSegment.ACK : 0) | connection.ecn.synFlags(withAck);
        syn.acknowledgment = withAck ? receiver.sequence() : 0;
        syn.window = receiver.window.inSyn();
        syn.sackPermitted = withAck ? receiver.sackPermitted : features.sack();
        syn.hasTimestamps = withAck ? timestamps.enabled : features.timestamps();
        syn.timestampValue = timestamps.value(nowNs);
        syn.timestampEcho = withAck ? timestamps.recent : 0;
        boolean scaling = withAck ? receiver.scalingOffered : features.windowScaling();
        syn.windowScale = scaling ? receiver.window.scale : -1;
        syn.trafficClass = connection.trafficClass;
        syn.mss = offeredMss(connection.path, connection.options());
        connection.fastOpen.addTo(syn, withAck, nowNs);
        if (!send(connection.path, syn, nowNs)) {
            return false;
        }
        connection.tally.onSent(syn.textBytes, false);
        return true;
    }

    /** A SYN with its options. */
    boolean send(Path path, Syn what, long nowNs) {
        Packet packet = output.allocate(path);
        if (packet == null) {
            return false;
        }
        long at = packet.address;
        int optionBytes = TcpHeader.writeSynOptions(
                at + TcpHeader.MIN_BYTES,
                what.mss,
                what.sackPermitted,
                what.hasTimestamps,
                what.timestampValue,
                what.timestampEcho,
                what.windowScale);
        if (what.fastOpenBytes >= 0) {
            optionBytes += TcpHeader.writeFastOpen(
                    at + TcpHeader.MIN_BYTES + optionBytes,
                    what.fastOpenExperimental,
                    what.fastOpenBytes,
                    what.fastOpenHigh,
                    what.fastOpenLow);
        }
        int headerBytes = TcpHeader.MIN_BYTES + optionBytes;
        TcpHeader.write(
                at,
                what.localPort,
                what.remotePort,
                what.sequence,
                what.acknowledgment,
                headerBytes,
                what.flags,
                what.window);
        SendBuffer text = what.text;
        if (text != null) {
            text.copyTo(0, at + headerBytes, what.textBytes);
        }
        packet.length = headerBytes + what.textBytes;
        // no ECT on SYNs (RFC 3168 §6.1.1)
        send(packet, path, what.trafficClass & ~Ecn.MASK, SegmentOutput.Kind.CONTROL, nowNs);
        return true;
    }

    /** What the MSS option says (RFC 6691): the payload of our largest packet if neither header had options, or TCP_MAXSEG if that is less. */
    static int offeredMss(Path path, TcpOptions options) {
        int most = options.maxSegmentBytes > 0 ? options.maxSegmentBytes : 0xffff;
        return Math.clamp(path.segmentBytes() - TcpHeader.MIN_BYTES, 64, most);
    }

    /** A segment of an endpoint that has no connection object: RST, or the ACK of a half-open or TIME-WAIT entry. */
    boolean bare(
            @Nullable Path path,
            int localPort,
            int remotePort,
            int sequence,
            int acknowledgment,
            int flags,
            int window,
            boolean hasTimestamps,
            int timestampValue,
            int timestampEcho,
            SegmentOutput.Kind kind,
            long nowNs) {
        Packet packet = path == null ? null : output.allocate(path);
        if (path == null || packet == null) {
            return false;
        }
        long at = packet.address;
        int headerBytes = TcpHeader.MIN_BYTES
                + TcpHeader.writeOptions(
                        at + TcpHeader.MIN_BYTES, hasTimestamps, timestampValue, timestampEcho, sackLeft, sackRight, 0);
        TcpHeader.write(at, localPort, remotePort, sequence, acknowledgment, headerBytes, flags, window);
        packet.length = headerBytes;
        if ((flags & TcpSegment.RST) != 0) {
            counters.increment(Counter.TCP_OUT_RSTS);
        }
        send(packet, path, 0, kind, nowNs);
        return true;
    }

    /** RST of a connection: sequence number SND.NXT, so that it is exactly what the peer expects once it has all data (RFC 5961 §3.2). */
    boolean reset(TcpConnection connection, long nowNs) {
        Timestamps timestamps = connection.receiver.timestamps;
        // behind data of the same turn that it must not overtake
        SegmentOutput.Kind kind = connection.sender.inFlight() ? SegmentOutput.Kind.DATA : SegmentOutput.Kind.CONTROL;
        return bare(
                connection.path,
                connection.localPort,
                connection.remotePort,
                connection.sender.sequenceOf(connection.sender.nxt),
                connection.receiver.sequence(),
                TcpSegment.RST | TcpSegment.ACK,
                0,
                timestamps.enabled,
                timestamps.value(nowNs),
                timestamps.recent,
                kind,
                nowNs);
    }

    private void send(Packet packet, Path path, int trafficClass, SegmentOutput.Kind kind, long nowNs) {
        counters.increment(Counter.TCP_OUT_SEGMENTS);
        output.send(packet, path, trafficClass, kind, nowNs);
    }
}
