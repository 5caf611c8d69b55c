package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.tcp.Path;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.udp.UdpOutput;
import dev.millrace.stack.wire.FragmentHeader;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.IpProtocol;
import dev.millrace.stack.wire.Ipv4Header;
import dev.millrace.stack.wire.Ipv6Header;
import org.jspecify.annotations.Nullable;

/** How UDP sends, the only one here whose packets are fragmented. Core thread only. */
final class DatagramOutput implements UdpOutput {
    private final IpOutput output;
    private final Routes routes;

    DatagramOutput(IpOutput output, Routes routes) {
        this.output = output;
        this.routes = routes;
    }

    @Override
    public @Nullable Path path(long localHigh, long localLow, long remoteHigh, long remoteLow) {
        return output.path(localHigh, localLow, remoteHigh, remoteLow);
    }

    @Override
    public @Nullable Path routedPath(long remoteHigh, long remoteLow) {
        IpAddress remote = new IpAddress(remoteHigh, remoteLow);
        IpAddress local = routes.sourceFor(remote);
        return local == null ? null : output.path(local, remote);
    }

    @Override
    public @Nullable Packet allocate(Path path) {
        return output.allocate((IpPath) path);
    }

    @Override
    public void send(Packet packet, Path path, int trafficClass, long nowNs) {
        packet.flags |= Packet.DATA;
        output.send(packet, (IpPath) path, IpProtocol.UDP, trafficClass, Kind.DATA, nowNs);
    }

    @Override
    public int fragmentBytes(Path path) {
        int headers = path.local.isV4() ? Ipv4Header.MIN_BYTES : Ipv6Header.BYTES + FragmentHeader.BYTES;
        return path.mtu() - headers & ~7;
    }

    @Override
    public int nextIdentification(Path path) {
        return ((IpPath) path).nextIdentification++;
    }

    @Override
    public void sendFragment(
            Packet packet, Path path, int trafficClass, int identification, int offset, boolean last, long nowNs) {
        packet.flags |= Packet.DATA;
        IpPath way = (IpPath) path;
        if (path.local.isV4()) {
            output.writeHeader(packet, way, IpProtocol.UDP, trafficClass);
            Ipv4Header.writeFragment(packet.address, identification, offset, !last);
        } else {
            packet.prepend(FragmentHeader.BYTES);
            FragmentHeader.write(packet.address, IpProtocol.UDP, offset, !last, identification);
            output.writeHeader(packet, way, IpProtocol.FRAGMENT, trafficClass);
        }
        output.forward(packet, way, Kind.DATA, nowNs);
    }
}
