package dev.millrace.stack.ip;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.tcp.SegmentOutput.Kind;
import dev.millrace.stack.wire.EthernetHeader;
import dev.millrace.stack.wire.FlowSteering;

/**
 * Brings a packet put together from fragments to the shard that its flow lives on. Fragments carry no ports, so all of them reach one
 * shard (RSS hashes them by address at best), which is seldom the right one. The whole packet travels over the loopback, which spreads by
 * flow; the source address of its Ethernet header tells that it came from the link, so that it is judged as such. Core thread only.
 */
final class Relay {
    private final NetworkInterface loopback;
    private final int shard;
    private final int shards;
    private final long mark;
    private final Counters counters;

    /** @param mark the link's hardware address: not 0, as those of the loopback's own frames are */
    Relay(NetworkInterface loopback, int shard, int shards, long mark, Counters counters) {
        this.loopback = loopback;
        this.shard = shard;
        this.shards = shards;
        this.mark = mark;
        this.counters = counters;
    }

    /** True for a frame on the loopback that another shard has relayed from the link. */
    static boolean isRelayed(long frame) {
        return EthernetHeader.source(frame) != 0;
    }

    /** Sends a packet on its way if it belongs elsewhere, or drops it there and then; false when it belongs here. */
    boolean toItsShard(long packet, int length) {
        if (shards == 1) {
            return false;
        }
        int frameBytes = EthernetHeader.BYTES + length;
        Packet frame = length > loopback.mtu ? null : loopback.allocate();
        if (frame == null) { // where it belongs could not be told without a frame; rare enough
            counters.increment(Counter.DROP_FRAGMENT_RELAY);
            return true;
        }
        frame.reset(TxQueue.HEADROOM);
        frame.length = frameBytes;
        boolean v4 = Memory.getUnsignedByte(packet) >>> 4 == 4;
        int type = v4 ? EthernetHeader.TYPE_IPV4 : EthernetHeader.TYPE_IPV6;
        EthernetHeader.write(frame.address, 0, mark, type);
        Memory.copy(packet, frame.address + EthernetHeader.BYTES, length);
        int target = FlowSteering.shardOf(frame.address, frameBytes, shards);
        if (target == shard || target == FlowSteering.EVERY_SHARD) {
            loopback.release(frame);
            return false;
        }
        loopback.enqueue(frame, Kind.CONTROL);
        return true;
    }
}
