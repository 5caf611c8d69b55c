package dev.millrace.io.dpdk;

import dev.millrace.io.sleep.NapSleeper;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A queue pair: one downcall per burst in each direction. A {@link Packet} is a view of an {@code rte_mbuf}, whose address is its handle.
 *
 * <p>Received packets use a fixed set of views, since all are released before the next burst. Free packets for sending are kept bound to their views
 * and taken from the pool by the dozen.
 */
final class DpdkQueue implements RxQueue, TxQueue {
    private static final int MAX_BURST = 64;
    private static final int REFILL = 32;
    private static final int MAX_IDLE =
            4 * REFILL; // more go back to the pool, where the driver finds them for receiving
    private static final int ETHERNET_HEADER_BYTES = 14;
    private static final int TYPE_IPV6 = 0x86dd;
    private static final int L3_SHIFT = 7; // rte_mbuf.tx_offload: l2_len 7 bits, l3_len 9 bits

    private final DpdkPort port;
    private final DpdkDevice device;
    private final boolean systemCalls;
    private final boolean txChecksum;
    private final NapSleeper sleeper = new NapSleeper();
    private final Arena arena = Arena.ofShared();
    private final AtomicLong rxErrors = new AtomicLong();
    private final AtomicLong txDropped = new AtomicLong();

    private final @Nullable BurstGate gate; // where control callbacks take memory away

    private final MemorySegment rxBurst;
    private final long rxQueue;
    private final MemorySegment txBurst;
    private final long txQueue;
    private final MemorySegment dequeue;
    private final MemorySegment enqueue;
    private final long pool;
    private final long mbufs; // struct rte_mbuf *[MAX_BURST], for the call at hand

    private final Packet[] received = new Packet[MAX_BURST];
    private @Nullable Packet[] idle = new @Nullable Packet[MAX_IDLE];
    private int idleCount;
    private @Nullable Packet[] unbound = new @Nullable Packet[MAX_IDLE]; // views without an mbuf
    private int unboundCount;

    private final int bufAddr;
    private final int dataOff;
    private final int nbSegs;
    private final int olFlags;
    private final int pktLen;
    private final int dataLen;
    private final int hash;
    private final int bufLen;
    private final int txOffload;
    private final int packetType;

    /** The device is started. */
    DpdkQueue(DpdkPort port, DpdkDevice device, int queue) {
        this.port = port;
        this.device = device;
        this.systemCalls = device.spec.makesSystemCalls();
        this.txChecksum = device.txChecksum;
        this.gate = device.newGate();
        this.rxBurst = Dpdk.rxBurstFunction(device.port);
        this.rxQueue = Dpdk.rxQueue(device.port, queue);
        this.txBurst = Dpdk.txBurstFunction(device.port);
        this.txQueue = Dpdk.txQueue(device.port, queue);
        this.pool = device.pool(queue);
        this.dequeue = Dpdk.dequeueFunction(pool);
        this.enqueue = Dpdk.enqueueFunction(pool);
        this.mbufs = arena.allocate(8L * MAX_BURST, 64).address();
        for (int i = 0; i < MAX_BURST; i++) {
            received[i] = new Packet();
        }
        DpdkAbi.Mbuf mbuf = Dpdk.abi().mbuf();
        this.bufAddr = mbuf.bufAddr();
        this.dataOff = mbuf.dataOff();
        this.nbSegs = mbuf.nbSegs();
        this.olFlags = mbuf.olFlags();
        this.pktLen = mbuf.pktLen();
        this.dataLen = mbuf.dataLen();
        this.hash = mbuf.hash();
        this.bufLen = mbuf.bufLen();
        this.txOffload = mbuf.txOffload();
        this.packetType = mbuf.packetType();
    }

    private int burst(MemorySegment function, long queue, int count) {
        if (gate == null) {
            return callDriver(function, queue, count);
        }
        if (!gate.enter()) {
            return 0;
        }
        try {
            return callDriver(function, queue, count);
        } finally {
            gate.leave();
        }
    }

    private int callDriver(MemorySegment function, long queue, int count) {
        return systemCalls
                ? Dpdk.burstWithSystemCalls(function, queue, mbufs, count)
                : Dpdk.burst(function, queue, mbufs, count);
    }

    // ---- receive ----

    @Override
    public int receive(Packet[] into, int max) {
        int count = burst(rxBurst, rxQueue, Math.min(max, MAX_BURST));
        if (count == 0) {
            return 0;
        }
        sleeper.onTraffic();
        int accepted = 0;
        int refused = 0;
        for (int i = 0; i < count; i++) {
            long mbuf = Memory.getLongNative(mbufs + 8L * i);
            if (Memory.getUnsignedShortNative(mbuf + nbSegs) != 1) {
                Memory.putLongNative(mbufs + 8L * refused++, mbuf); // refused ≤ i: overwrites only what was read
                continue;
            }
            Packet packet = received[accepted];
            viewReceived(packet, mbuf);
            into[accepted++] = packet;
        }
        if (refused > 0) {
            rxErrors.addAndGet(refused);
            Dpdk.freeBulk(mbufs, refused);
        }
        return accepted;
    }

    private void viewReceived(Packet packet, long mbuf) {
        packet.handle = mbuf;
        packet.bufferAddress = Memory.getLongNative(mbuf + bufAddr);
        packet.address = packet.bufferAddress + Memory.getUnsignedShortNative(mbuf + dataOff);
        packet.length = Memory.getUnsignedShortNative(mbuf + dataLen);
        packet.capacity = Memory.getUnsignedShortNative(mbuf + bufLen);
        long flags = Memory.getLongNative(mbuf + olFlags);
        packet.flags =
                (flags & Dpdk.RTE_MBUF_F_RX_CKSUM_MASK) == Dpdk.RTE_MBUF_F_RX_CKSUM_GOOD ? Packet.CHECKSUM_VERIFIED : 0;
        packet.hash = (flags & Dpdk.RTE_MBUF_F_RX_RSS_HASH) != 0 ? Memory.getIntNative(mbuf + hash) : 0;
    }

    @Override
    public void release(Packet[] packets, int count) {
        if (count == 0) {
            return;
        }
        for (int i = 0; i < count; i++) {
            Memory.putLongNative(mbufs + 8L * i, packets[i].handle);
        }
        Dpdk.freeBulk(mbufs, count);
    }

    @Override
    public void await(long timeoutNs) {
        if (!Thread.currentThread().isInterrupted()) {
            sleeper.await(timeoutNs);
        }
    }

    @Override
    public void wake() {
        sleeper.wake();
    }

    // ---- transmit ----

    @Override
    public @Nullable Packet allocate() {
        if (idleCount == 0 && !refill(REFILL) && !refill(1)) {
            return null;
        }
        Packet packet = idle[--idleCount];
        assert packet != null : "hole in the list of idle packets";
        packet.reset(HEADROOM);
        return packet;
    }

    private boolean refill(int count) {
        if (Dpdk.mempoolOperation(dequeue, pool, mbufs, count) != 0) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            Packet packet = view();
            packet.handle = Memory.getLongNative(mbufs + 8L * i);
            packet.bufferAddress = Memory.getLongNative(packet.handle + bufAddr);
            packet.capacity = Memory.getUnsignedShortNative(packet.handle + bufLen);
            idle[idleCount++] = packet;
        }
        return true;
    }

    private Packet view() {
        if (unboundCount == 0) {
            return new Packet();
        }
        Packet packet = unbound[--unboundCount];
        assert packet != null : "hole in the list of views";
        return packet;
    }

    @Override
    public int transmit(Packet[] packets, int count) {
        int sent = 0;
        while (sent < count) {
            int burst = Math.min(count - sent, MAX_BURST);
            for (int i = 0; i < burst; i++) {
                Packet packet = packets[sent + i];
                prepare(packet);
                Memory.putLongNative(mbufs + 8L * i, packet.handle);
            }
            int accepted = burst(txBurst, txQueue, burst);
            for (int i = 0; i < accepted; i++) {
                unbind(packets[sent + i]);
            }
            sent += accepted;
            if (accepted < burst) {
                return port.linkUp() ? sent : sent + dropOnDeadLink(packets, sent, count);
            }
        }
        return sent;
    }

    /** Fields as {@code rte_pktmbuf_reset} leaves them; refcnt, next and nb_segs of a pooled mbuf are right already. */
    private void prepare(Packet packet) {
        long mbuf = packet.handle;
        assert packet.length > 0 && packet.address + packet.length <= packet.bufferAddress + packet.capacity
                : "outside the buffer";
        Memory.putShortNative(mbuf + dataOff, (int) (packet.address - packet.bufferAddress));
        Memory.putLongNative(mbuf + olFlags, 0);
        Memory.putIntNative(mbuf + packetType, 0);
        Memory.putIntNative(mbuf + pktLen, packet.length);
        Memory.putIntNative(mbuf + dataLen, packet.length); // and vlan_tci, the two bytes behind it
        Memory.putLongNative(mbuf + txOffload, 0);
        if (txChecksum && (packet.flags & Packet.CHECKSUM_REQUESTED) != 0) {
            requestChecksum(packet);
        }
    }

    private void requestChecksum(Packet packet) {
        boolean v6 = Memory.getUnsignedShort(packet.address + 12) == TYPE_IPV6;
        int networkBytes = v6 ? 40 : (Memory.getUnsignedByte(packet.address + ETHERNET_HEADER_BYTES) & 0xf) * 4;
        long family = v6 ? Dpdk.RTE_MBUF_F_TX_IPV6 : Dpdk.RTE_MBUF_F_TX_IPV4;
        Memory.putLongNative(packet.handle + olFlags, Dpdk.RTE_MBUF_F_TX_TCP_CKSUM | family);
        Memory.putLongNative(packet.handle + txOffload, ETHERNET_HEADER_BYTES | (long) networkBytes << L3_SHIFT);
    }

    /** The peer of a shared-memory link is away: its ring takes nothing, and holding frames would empty the pool. */
    private int dropOnDeadLink(Packet[] packets, int from, int count) {
        for (int i = from; i < count; i++) {
            release(packets[i]);
        }
        txDropped.addAndGet(count - from);
        return count - from;
    }

    private void unbind(Packet packet) {
        if (unboundCount == unbound.length) {
            unbound = Arrays.copyOf(unbound, unboundCount * 2);
        }
        unbound[unboundCount++] = packet;
    }

    @Override
    public void release(Packet packet) {
        if (idleCount < MAX_IDLE) {
            idle[idleCount++] = packet;
            return;
        }
        giveBack(packet);
        unbind(packet);
    }

    private void giveBack(Packet packet) {
        Memory.putLongNative(mbufs, packet.handle);
        int result = Dpdk.mempoolOperation(enqueue, pool, mbufs, 1);
        assert result == 0 : "more packets returned than the pool has";
    }

    // ---- any thread ----

    long rxErrors() {
        return rxErrors.get();
    }

    long txDropped() {
        return txDropped.get();
    }

    /** The port is about to be closed and its pool freed. */
    void close() {
        device.remove(gate);
        arena.close();
    }
}
