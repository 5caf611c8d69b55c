package dev.millrace.io.dpdk;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.wire.ToeplitzHash;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A device that is plugged in, configured and started: what {@code rte_ethdev} knows about it, and its memory pools.
 *
 * <p>Set up by one thread, used by those of {@link DpdkQueue}, closed by one.
 */
final class DpdkDevice implements AutoCloseable {
    private static final int ETHERNET_HEADER_BYTES = 14;
    private static final int VLAN_TAG_BYTES = 4;
    private static final int DEFAULT_MTU = 1500;
    private static final int MIN_ROOM_BYTES = 2048;
    private static final int MAX_RING = 1024;
    private static final int RETA_GROUP = 64;
    private static final int RETA_GROUP_BYTES = 8 + RETA_GROUP * 2;

    final DeviceSpec spec;
    final short port;
    final int queues;
    final int mtu;
    final long mac;
    final boolean rss;
    final boolean rxChecksum;
    final boolean txChecksum;
    private final Eal eal;
    private final @Nullable ControlCallbacks callbacks;
    private final long[] pools;
    private final MemorySegment info;
    private final int rxDescriptors;
    private final int txDescriptors;
    private boolean closed;

    private DpdkDevice(Eal eal, DeviceSpec spec, short port, LinkOptions options, Arena arena) throws LinkException {
        this.eal = eal;
        this.spec = spec;
        this.port = port;
        this.callbacks = spec.driver().equals("net_memif") ? ControlCallbacks.install() : null;
        DpdkAbi.DeviceInfo at = Dpdk.abi().deviceInfo();
        this.info = arena.allocate(at.bytes(), 8);
        eal.step(spec, "its properties cannot be read", () -> Dpdk.deviceInfo(port, info));
        this.rss = spreadsOver(options.queues());
        this.queues = rss ? options.queues() : 1;
        this.rxChecksum = offers(at.rxOffloads(), Dpdk.RTE_ETH_RX_OFFLOAD_CHECKSUM);
        this.txChecksum = offers(at.txOffloads(), Dpdk.RTE_ETH_TX_OFFLOAD_CHECKSUM);
        this.rxDescriptors = ringSize(at.rxRingSize(), at.rxDescriptorLimit());
        this.txDescriptors = ringSize(at.txRingSize(), at.txDescriptorLimit());
        this.mtu = options.mtu() > 0 ? options.mtu() : currentMtu(arena);
        this.pools = new long[queues];
        try {
            checkMtu();
            createPools(options.packets(), arena);
            configure(arena);
            this.mac = applyMac(options.mac(), arena);
            eal.step(spec, "cannot be started", () -> Dpdk.start(port));
            spread(arena);
            acceptMulticast();
        } catch (LinkException e) {
            closePortAndPools();
            throw e;
        }
    }

    /** Plugs in, configures and starts; on failure nothing is left behind. */
    static DpdkDevice open(Eal eal, DeviceSpec spec, LinkOptions options) throws LinkException {
        short port = eal.plugIn(spec);
        try (Arena arena = Arena.ofConfined()) {
            return new DpdkDevice(eal, spec, port, options, arena);
        } catch (LinkException e) {
            eal.unplug(spec);
            throw e;
        }
    }

    // ---- what the device can do ----

    /** Spreading must match {@code hash modulo queues} exactly: the redirection table has to be a multiple of the queues. */
    private boolean spreadsOver(int wanted) {
        DpdkAbi.DeviceInfo at = Dpdk.abi().deviceInfo();
        int most = Math.min(unsignedShort(at.maxRxQueues()), unsignedShort(at.maxTxQueues()));
        int reta = unsignedShort(at.retaSize());
        return wanted > 1
                && most >= wanted
                && offers(at.rssHashTypes(), Dpdk.RTE_ETH_RSS_TCP)
                && reta > 0
                && Integer.bitCount(wanted) == 1
                && reta % wanted == 0;
    }

    private boolean offers(int offset, long bits) {
        return (info.get(JAVA_LONG, offset) & bits) == bits;
    }

    private int unsignedShort(int offset) {
        return info.get(JAVA_SHORT, offset) & 0xffff;
    }

    /** {@code struct rte_eth_desc_lim} begins with the largest and the smallest number. */
    private int ringSize(int preferredAt, int limitAt) {
        int preferred = unsignedShort(preferredAt);
        int most = unsignedShort(limitAt);
        int size = Math.min(preferred > 0 ? preferred : MAX_RING, most > 0 ? most : MAX_RING);
        return Math.max(size, unsignedShort(limitAt + 2));
    }

    private int currentMtu(Arena arena) throws LinkException {
        MemorySegment value = arena.allocate(2, 2);
        eal.step(spec, "its MTU cannot be read", () -> Dpdk.mtu(port, value));
        int current = value.get(JAVA_SHORT, 0) & 0xffff;
        return current > 0 ? current : DEFAULT_MTU;
    }

    private void checkMtu() throws LinkException {
        DpdkAbi.DeviceInfo at = Dpdk.abi().deviceInfo();
        int most = unsignedShort(at.maxMtu());
        int least = unsignedShort(at.minMtu());
        if (mtu < least || most > 0 && mtu > most) {
            throw new LinkException(
                    spec.link() + ": mtu=" + mtu + " is not possible: this device takes " + least + " to " + most);
        }
    }

    // ---- set-up ----

    private void createPools(int packets, Arena arena) throws LinkException {
        int room = Dpdk.RTE_PKTMBUF_HEADROOM
                + Math.max(MIN_ROOM_BYTES, (ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES + mtu + 63) & -64);
        if (room > 0xffff) {
            throw new LinkException(spec.link() + ": mtu=" + mtu + " is too large for a DPDK buffer: at most 65300");
        }
        for (int i = 0; i < queues; i++) {
            String name = "millrace-" + port + "-" + i;
            int count = packets + rxDescriptors + txDescriptors;
            int queue = i;
            eal.step(spec, "not enough memory for " + count + " packets per queue", () -> {
                pools[queue] = MbufPool.create(arena, name, count, room, spec.isPci());
                return pools[queue] == 0 ? -Dpdk.rteErrno() : 0;
            });
        }
    }

    private void configure(Arena arena) throws LinkException {
        DpdkAbi.DeviceInfo at = Dpdk.abi().deviceInfo();
        DpdkAbi.Config fields = Dpdk.abi().config();
        MemorySegment configuration = arena.allocate(fields.bytes(), 8);
        configuration.set(JAVA_INT, fields.mtu(), mtu);
        configuration.set(JAVA_LONG, fields.rxOffloads(), rxChecksum ? Dpdk.RTE_ETH_RX_OFFLOAD_CHECKSUM : 0);
        long fastFree = info.get(JAVA_LONG, at.txOffloads()) & Dpdk.RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
        long checksum = txChecksum ? Dpdk.RTE_ETH_TX_OFFLOAD_CHECKSUM : 0;
        configuration.set(JAVA_LONG, fields.txOffloads(), fastFree | checksum);
        if (rss) {
            int keyBytes = info.get(JAVA_BYTE, at.hashKeySize()) & 0xff;
            byte[] key = ToeplitzHash.key();
            MemorySegment longKey =
                    arena.allocate(Math.max(keyBytes, key.length), 8); // the 4-tuple never reaches the rest
            MemorySegment.copy(key, 0, longKey, JAVA_BYTE, 0, key.length);
            configuration.set(JAVA_INT, fields.mqMode(), Dpdk.RTE_ETH_MQ_RX_RSS);
            configuration.set(ADDRESS, fields.rssKey(), longKey);
            configuration.set(JAVA_BYTE, fields.rssKeyLength(), (byte) longKey.byteSize());
            configuration.set(JAVA_LONG, fields.rssHashTypes(), Dpdk.RTE_ETH_RSS_TCP);
        }
        eal.step(spec, "cannot be configured", () -> Dpdk.configure(port, queues, queues, configuration));
        for (int i = 0; i < queues; i++) {
            int queue = i;
            eal.step(spec, "receive queue", () -> Dpdk.setupRxQueue(port, queue, rxDescriptors, pools[queue]));
            eal.step(spec, "transmit queue", () -> Dpdk.setupTxQueue(port, queue, txDescriptors));
        }
    }

    /** Sets the address wished for; a device that cannot change it takes frames for every address instead. */
    private long applyMac(long wanted, Arena arena) throws LinkException {
        MemorySegment address = arena.allocate(8, 8);
        if (wanted == 0) {
            eal.step(spec, "its hardware address cannot be read", () -> Dpdk.macAddress(port, address));
            return Memory.getLong(address.address()) >>> 16;
        }
        Memory.putLong(address.address(), wanted << 16);
        if (Dpdk.setMacAddress(port, address) < 0) {
            eal.step(spec, "cannot take another hardware address", () -> Dpdk.enablePromiscuous(port));
        }
        return wanted;
    }

    private void spread(Arena arena) throws LinkException {
        if (!rss) {
            return;
        }
        int size = unsignedShort(Dpdk.abi().deviceInfo().retaSize());
        int groups = (size + RETA_GROUP - 1) / RETA_GROUP;
        MemorySegment table = arena.allocate((long) groups * RETA_GROUP_BYTES, 8);
        for (int i = 0; i < size; i++) {
            long group = (long) (i / RETA_GROUP) * RETA_GROUP_BYTES;
            table.set(JAVA_LONG, group, -1L);
            table.set(JAVA_SHORT, group + 8 + 2L * (i % RETA_GROUP), (short) (i % queues));
        }
        eal.step(spec, "flows cannot be spread", () -> Dpdk.updateReta(port, table, size));
    }

    /** Neighbour discovery arrives by multicast (RFC 4861). Devices that filter nothing answer ENOTSUP, which is as good. */
    private void acceptMulticast() {
        if (Dpdk.enableAllMulticast(port) < 0) {
            Dpdk.enablePromiscuous(port);
        }
    }

    // ---- use ----

    long pool(int queue) {
        return pools[queue];
    }

    /** For the bursts of a further queue pair; null where nothing threatens them. */
    @Nullable
    BurstGate newGate() {
        return callbacks == null ? null : callbacks.newGate();
    }

    void remove(@Nullable BurstGate gate) {
        if (callbacks != null && gate != null) {
            callbacks.remove(gate);
        }
    }

    /** Stops and starts the device, whereupon a memif client looks for its server. Bursts are empty while it is stopped. Any thread. */
    synchronized void restart() {
        if (callbacks != null && !closed) {
            callbacks.exclusively(() -> {
                Dpdk.stop(port);
                Dpdk.start(port); // fails while there is no server, and is tried again
            });
        }
    }

    // ---- the end ----

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        closePortAndPools();
        eal.unplug(spec);
    }

    private void closePortAndPools() {
        if (callbacks == null) {
            closePort();
        } else {
            callbacks.exclusively(this::closePort);
        }
        for (long pool : pools) {
            if (pool != 0) {
                Dpdk.freePool(pool);
            }
        }
    }

    private void closePort() {
        Dpdk.stop(port);
        Dpdk.close(port);
    }
}
