package dev.millrace.provider.nio;

import java.net.DatagramPacket;
import java.util.Map;
import java.util.WeakHashMap;

/**
 * How much a {@link DatagramPacket} takes. It has room for a number of bytes that the application sets, and a length that each datagram received
 * sets, but outside {@code java.net} setting the length sets the room as well. So it is remembered for as long as the packet lives, and believed
 * while the length is still what was set here. Any thread.
 */
final class PacketCapacities {
    private static final class Capacity {
        int bytes;
        int length;
    }

    /** Packets have identity. */
    private final Map<DatagramPacket, Capacity> known = new WeakHashMap<>();

    /** How many bytes may be received into {@code packet}. Holding its monitor. */
    synchronized int of(DatagramPacket packet) {
        Capacity capacity = known.get(packet);
        boolean untouched = capacity != null
                && capacity.length == packet.getLength()
                && packet.getOffset() + capacity.bytes <= packet.getData().length;
        return capacity != null && untouched ? capacity.bytes : packet.getLength();
    }

    /** A datagram of {@code length} bytes is in {@code packet}, which had room for {@code capacityBytes}. Holding its monitor. */
    synchronized void received(DatagramPacket packet, int length, int capacityBytes) {
        Capacity capacity = known.computeIfAbsent(packet, unknown -> new Capacity());
        capacity.bytes = capacityBytes;
        capacity.length = length;
        packet.setLength(length);
    }
}
