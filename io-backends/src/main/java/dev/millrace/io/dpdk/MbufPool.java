package dev.millrace.io.dpdk;

import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A DPDK packet pool for one queue pair: {@code rte_pktmbuf_pool_create_by_ops}, taken apart to choose a flag.
 *
 * <p>Its ring has a single producer and a single consumer, because one thread at a time uses the queue pair, so nothing needs to be atomic; the
 * drivers free transmitted packets inside the burst functions, hence on that same thread. Packets of virtual devices lie back to back: DPDK
 * would otherwise keep each within a page, which wastes half of ordinary memory, and net_af_xdp of 22.11 counts on it: it registers too short
 * a region with the kernel, which then silently drops what lies behind.
 */
final class MbufPool {
    private static final int RTE_MEMPOOL_F_NO_IOVA_CONTIG = 0x20;
    private static final int PRIVATE_BYTES = 8; // struct rte_pktmbuf_pool_private: data room size, private size, flags
    private static final int MBUF_BYTES = 128;

    private MbufPool() {}

    /**
     * Makes a pool; 0 when it cannot, and {@code rte_errno} tells why.
     *
     * @param dataRoomBytes of each packet, headroom included
     * @param forHardware a device reads the memory by physical address
     */
    static long create(Arena arena, String name, int packets, int dataRoomBytes, boolean forHardware) {
        int flags = forHardware ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG;
        MemorySegment poolName = arena.allocateFrom(name);
        long pool = Dpdk.createEmptyPool(poolName, packets, MBUF_BYTES + dataRoomBytes, PRIVATE_BYTES, flags);
        if (pool == 0) {
            return 0;
        }
        MemorySegment layout = arena.allocate(PRIVATE_BYTES, 4);
        layout.set(JAVA_SHORT, 0, (short) dataRoomBytes);
        if (Dpdk.setPoolOperations(pool, arena.allocateFrom("ring_sp_sc")) < 0) {
            Dpdk.freePool(pool);
            return 0;
        }
        Dpdk.initPool(pool, layout);
        if (Dpdk.populatePool(pool) < 0) {
            Dpdk.freePool(pool);
            return 0;
        }
        Dpdk.initPackets(pool);
        return pool;
    }
}
