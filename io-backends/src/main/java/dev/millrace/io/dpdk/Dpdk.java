package dev.millrace.io.dpdk;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.millrace.stack.memory.Memory;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * Raw layer: one method per DPDK function, its prototype in the comment. May be used only after {@link DpdkLibrary#load}.
 *
 * <p>Functions return what C returns: 0 or a negative errno, unless the comment says otherwise. Those of the packet path take addresses as {@code long};
 * they are critical downcalls (no state transition) where the callee only touches memory, because a critical call delays safepoints.
 */
final class Dpdk {
    static final int RTE_LOG_ERR = 4;
    static final int RTE_LOG_NOTICE = 6;
    static final int RTE_PKTMBUF_HEADROOM = 128;
    static final int SOCKET_ID_ANY = -1;

    // rte_ethdev.h
    static final int RTE_ETH_MQ_RX_RSS = 1;
    static final long RTE_ETH_RSS_TCP = 0x10 | 0x400; // NONFRAG_IPV4_TCP, NONFRAG_IPV6_TCP
    static final long RTE_ETH_RX_OFFLOAD_CHECKSUM = 0x2 | 0x8; // IPV4_CKSUM, TCP_CKSUM
    static final long RTE_ETH_TX_OFFLOAD_CHECKSUM = 0x2 | 0x8; // IPV4_CKSUM, TCP_CKSUM
    static final long RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE = 0x10000;

    // rte_mbuf_core.h
    static final long RTE_MBUF_F_RX_RSS_HASH = 0x2;
    static final long RTE_MBUF_F_RX_CKSUM_MASK = 0x108 | 0x90;
    static final long RTE_MBUF_F_RX_CKSUM_GOOD = 0x100 | 0x80;
    static final long RTE_MBUF_F_TX_TCP_CKSUM = 1L << 52;
    static final long RTE_MBUF_F_TX_IPV4 = 1L << 55;
    static final long RTE_MBUF_F_TX_IPV6 = 1L << 56;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup SYMBOLS = DpdkLibrary.get().symbols;
    private static final DpdkAbi ABI = DpdkLibrary.get().abi;
    private static final Linker.Option CRITICAL = Linker.Option.critical(false);

    private static final FunctionDescriptor BURST = FunctionDescriptor.of(JAVA_SHORT, JAVA_LONG, JAVA_LONG, JAVA_SHORT);
    private static final MethodHandle BURST_CRITICAL = LINKER.downcallHandle(BURST, CRITICAL);
    private static final MethodHandle BURST_PLAIN = LINKER.downcallHandle(BURST);
    private static final MethodHandle MEMPOOL_OP =
            LINKER.downcallHandle(FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT), CRITICAL);
    private static final MethodHandle PKTMBUF_FREE_BULK = LINKER.downcallHandle(
            SYMBOLS.findOrThrow("rte_pktmbuf_free_bulk"), FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_INT), CRITICAL);

    private static final MethodHandle EAL_INIT = function("rte_eal_init", JAVA_INT, JAVA_INT, ADDRESS);
    private static final MethodHandle GET_RUNTIME_DIR = function("rte_eal_get_runtime_dir", ADDRESS);
    private static final MethodHandle STRERROR = function("rte_strerror", ADDRESS, JAVA_INT);
    private static final MethodHandle OPENLOG_STREAM = function("rte_openlog_stream", JAVA_INT, ADDRESS);
    private static final MethodHandle LOG_SET_GLOBAL_LEVEL =
            LINKER.downcallHandle(SYMBOLS.findOrThrow("rte_log_set_global_level"), FunctionDescriptor.ofVoid(JAVA_INT));
    private static final MethodHandle HOTPLUG_ADD =
            function("rte_eal_hotplug_add", JAVA_INT, ADDRESS, ADDRESS, ADDRESS);
    private static final MethodHandle HOTPLUG_REMOVE = function("rte_eal_hotplug_remove", JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle GET_PORT_BY_NAME =
            function("rte_eth_dev_get_port_by_name", JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle INFO_GET = function("rte_eth_dev_info_get", JAVA_INT, JAVA_SHORT, ADDRESS);
    private static final MethodHandle CONFIGURE =
            function("rte_eth_dev_configure", JAVA_INT, JAVA_SHORT, JAVA_SHORT, JAVA_SHORT, ADDRESS);
    private static final MethodHandle RX_QUEUE_SETUP = function(
            "rte_eth_rx_queue_setup", JAVA_INT, JAVA_SHORT, JAVA_SHORT, JAVA_SHORT, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle TX_QUEUE_SETUP =
            function("rte_eth_tx_queue_setup", JAVA_INT, JAVA_SHORT, JAVA_SHORT, JAVA_SHORT, JAVA_INT, ADDRESS);
    private static final MethodHandle DEV_START = function("rte_eth_dev_start", JAVA_INT, JAVA_SHORT);
    private static final MethodHandle DEV_STOP = function("rte_eth_dev_stop", JAVA_INT, JAVA_SHORT);
    private static final MethodHandle DEV_CLOSE = function("rte_eth_dev_close", JAVA_INT, JAVA_SHORT);
    private static final MethodHandle GET_MTU = function("rte_eth_dev_get_mtu", JAVA_INT, JAVA_SHORT, ADDRESS);
    private static final MethodHandle MACADDR_GET = function("rte_eth_macaddr_get", JAVA_INT, JAVA_SHORT, ADDRESS);
    private static final MethodHandle MACADDR_SET =
            function("rte_eth_dev_default_mac_addr_set", JAVA_INT, JAVA_SHORT, ADDRESS);
    private static final MethodHandle PROMISCUOUS_ENABLE = function("rte_eth_promiscuous_enable", JAVA_INT, JAVA_SHORT);
    private static final MethodHandle ALLMULTICAST_ENABLE =
            function("rte_eth_allmulticast_enable", JAVA_INT, JAVA_SHORT);
    private static final MethodHandle RETA_UPDATE =
            function("rte_eth_dev_rss_reta_update", JAVA_INT, JAVA_SHORT, ADDRESS, JAVA_SHORT);
    private static final MethodHandle LINK_GET_NOWAIT =
            function("rte_eth_link_get_nowait", JAVA_INT, JAVA_SHORT, ADDRESS);
    private static final MethodHandle STATS_GET = function("rte_eth_stats_get", JAVA_INT, JAVA_SHORT, ADDRESS);
    private static final MethodHandle MEMPOOL_CREATE_EMPTY = function(
            "rte_mempool_create_empty", JAVA_LONG, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle MEMPOOL_SET_OPS =
            function("rte_mempool_set_ops_byname", JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MethodHandle PKTMBUF_POOL_INIT = LINKER.downcallHandle(
            SYMBOLS.findOrThrow("rte_pktmbuf_pool_init"), FunctionDescriptor.ofVoid(JAVA_LONG, ADDRESS));
    private static final MethodHandle MEMPOOL_POPULATE = function("rte_mempool_populate_default", JAVA_INT, JAVA_LONG);
    private static final MethodHandle MEMPOOL_OBJ_ITER =
            function("rte_mempool_obj_iter", JAVA_INT, JAVA_LONG, ADDRESS, ADDRESS);
    private static final MemorySegment PKTMBUF_INIT = SYMBOLS.findOrThrow("rte_pktmbuf_init");
    private static final MethodHandle MEMPOOL_FREE =
            LINKER.downcallHandle(SYMBOLS.findOrThrow("rte_mempool_free"), FunctionDescriptor.ofVoid(JAVA_LONG));
    private static final long FP_OPS = SYMBOLS.findOrThrow("rte_eth_fp_ops").address();
    private static final long MEMPOOL_OPS_TABLE =
            SYMBOLS.findOrThrow("rte_mempool_ops_table").address();

    private Dpdk() {}

    private static MethodHandle function(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(SYMBOLS.findOrThrow(name), FunctionDescriptor.of(result, arguments));
    }

    static DpdkAbi abi() {
        return ABI;
    }

    // ---- environment ----

    /** {@code int rte_eal_init(int argc, char **argv)}; −1 on failure */
    static int ealInit(int count, MemorySegment arguments) {
        try {
            return (int) EAL_INIT.invokeExact(count, arguments);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code const char *rte_eal_get_runtime_dir(void)}; empty before the environment has chosen it */
    static String runtimeDirectory() {
        try {
            MemorySegment text = (MemorySegment) GET_RUNTIME_DIR.invokeExact();
            return text.address() == 0 ? "" : text.reinterpret(4096).getString(0);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code const char *rte_strerror(int errnum)} */
    static String strerror(int errno) {
        try {
            MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
            return text.reinterpret(256).getString(0);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_openlog_stream(FILE *f)}; null for standard error */
    static void openLogStream(MemorySegment file) {
        try {
            int result = (int) OPENLOG_STREAM.invokeExact(file);
            assert result == 0 : "rte_openlog_stream cannot fail";
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code void rte_log_set_global_level(uint32_t level)} */
    static void setLogLevel(int level) {
        try {
            LOG_SET_GLOBAL_LEVEL.invokeExact(level);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code rte_errno} of the calling thread: a thread-local variable, which dlsym(3) resolves for the thread that asks */
    static int rteErrno() {
        return Memory.getIntNative(SYMBOLS.findOrThrow("per_lcore__rte_errno").address());
    }

    /** {@code int rte_eal_hotplug_add(const char *busname, const char *devname, const char *drvargs)} */
    static int hotplugAdd(MemorySegment bus, MemorySegment device, MemorySegment arguments) {
        try {
            return (int) HOTPLUG_ADD.invokeExact(bus, device, arguments);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eal_hotplug_remove(const char *busname, const char *devname)} */
    static int hotplugRemove(MemorySegment bus, MemorySegment device) {
        try {
            return (int) HOTPLUG_REMOVE.invokeExact(bus, device);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    // ---- ports ----

    /** {@code int rte_eth_dev_get_port_by_name(const char *name, uint16_t *port_id)} */
    static int portByName(MemorySegment name, MemorySegment port) {
        try {
            return (int) GET_PORT_BY_NAME.invokeExact(name, port);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *dev_info)} */
    static int deviceInfo(short port, MemorySegment info) {
        try {
            return (int) INFO_GET.invokeExact(port, info);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_dev_configure(uint16_t port_id, uint16_t nb_rx_queue, uint16_t nb_tx_queue, const struct rte_eth_conf *)} */
    static int configure(short port, int rxQueues, int txQueues, MemorySegment configuration) {
        try {
            return (int) CONFIGURE.invokeExact(port, (short) rxQueues, (short) txQueues, configuration);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * {@code int rte_eth_rx_queue_setup(uint16_t port_id, uint16_t rx_queue_id, uint16_t nb_rx_desc, unsigned int socket_id, const struct rte_eth_rxconf
     * *rx_conf, struct rte_mempool *mb_pool)}
     */
    static int setupRxQueue(short port, int queue, int descriptors, long mempool) {
        try {
            return (int) RX_QUEUE_SETUP.invokeExact(
                    port, (short) queue, (short) descriptors, SOCKET_ID_ANY, MemorySegment.NULL, mempool);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * {@code int rte_eth_tx_queue_setup(uint16_t port_id, uint16_t tx_queue_id, uint16_t nb_tx_desc, unsigned int socket_id, const struct rte_eth_txconf
     * *tx_conf)}
     */
    static int setupTxQueue(short port, int queue, int descriptors) {
        try {
            return (int) TX_QUEUE_SETUP.invokeExact(
                    port, (short) queue, (short) descriptors, SOCKET_ID_ANY, MemorySegment.NULL);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_dev_start(uint16_t port_id)} */
    static int start(short port) {
        try {
            return (int) DEV_START.invokeExact(port);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_dev_stop(uint16_t port_id)} */
    static int stop(short port) {
        try {
            return (int) DEV_STOP.invokeExact(port);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_dev_close(uint16_t port_id)} */
    static int close(short port) {
        try {
            return (int) DEV_CLOSE.invokeExact(port);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_dev_get_mtu(uint16_t port_id, uint16_t *mtu)} */
    static int mtu(short port, MemorySegment mtu) {
        try {
            return (int) GET_MTU.invokeExact(port, mtu);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_macaddr_get(uint16_t port_id, struct rte_ether_addr *mac_addr)} */
    static int macAddress(short port, MemorySegment address) {
        try {
            return (int) MACADDR_GET.invokeExact(port, address);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_dev_default_mac_addr_set(uint16_t port_id, struct rte_ether_addr *mac_addr)} */
    static int setMacAddress(short port, MemorySegment address) {
        try {
            return (int) MACADDR_SET.invokeExact(port, address);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_promiscuous_enable(uint16_t port_id)} */
    static int enablePromiscuous(short port) {
        try {
            return (int) PROMISCUOUS_ENABLE.invokeExact(port);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_allmulticast_enable(uint16_t port_id)} */
    static int enableAllMulticast(short port) {
        try {
            return (int) ALLMULTICAST_ENABLE.invokeExact(port);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_dev_rss_reta_update(uint16_t port_id, struct rte_eth_rss_reta_entry64 *reta_conf, uint16_t reta_size)} */
    static int updateReta(short port, MemorySegment table, int size) {
        try {
            return (int) RETA_UPDATE.invokeExact(port, table, (short) size);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_link_get_nowait(uint16_t port_id, struct rte_eth_link *link)} */
    static int link(short port, MemorySegment link) {
        try {
            return (int) LINK_GET_NOWAIT.invokeExact(port, link);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_eth_stats_get(uint16_t port_id, struct rte_eth_stats *stats)} */
    static int statistics(short port, MemorySegment statistics) {
        try {
            return (int) STATS_GET.invokeExact(port, statistics);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    // ---- packet memory ----

    /**
     * {@code struct rte_mempool *rte_mempool_create_empty(const char *name, unsigned n, unsigned elt_size, unsigned cache_size, unsigned
     * private_data_size, int socket_id, unsigned flags)}; 0 on failure
     */
    static long createEmptyPool(MemorySegment name, int elements, int elementBytes, int privateBytes, int flags) {
        try {
            return (long) MEMPOOL_CREATE_EMPTY.invokeExact(
                    name, elements, elementBytes, 0, privateBytes, SOCKET_ID_ANY, flags);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_mempool_set_ops_byname(struct rte_mempool *mp, const char *name, void *pool_config)} */
    static int setPoolOperations(long pool, MemorySegment name) {
        try {
            return (int) MEMPOOL_SET_OPS.invokeExact(pool, name, MemorySegment.NULL);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code void rte_pktmbuf_pool_init(struct rte_mempool *mp, void *opaque_arg)} */
    static void initPool(long pool, MemorySegment layout) {
        try {
            PKTMBUF_POOL_INIT.invokeExact(pool, layout);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_mempool_populate_default(struct rte_mempool *mp)}; the number of elements, or a negative errno */
    static int populatePool(long pool) {
        try {
            return (int) MEMPOOL_POPULATE.invokeExact(pool);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code uint32_t rte_mempool_obj_iter(struct rte_mempool *mp, rte_mempool_obj_cb_t *obj_cb, void *obj_cb_arg)} with rte_pktmbuf_init */
    static void initPackets(long pool) {
        try {
            int count = (int) MEMPOOL_OBJ_ITER.invokeExact(pool, PKTMBUF_INIT, MemorySegment.NULL);
            assert count > 0 : "an empty pool";
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code void rte_mempool_free(struct rte_mempool *mp)} */
    static void freePool(long pool) {
        try {
            MEMPOOL_FREE.invokeExact(pool);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code rte_mempool_ops_table.ops[mp->ops_index].dequeue} */
    static MemorySegment dequeueFunction(long pool) {
        return MemorySegment.ofAddress(
                Memory.getLongNative(operationsOf(pool) + ABI.mempoolOps().dequeue()));
    }

    /** {@code rte_mempool_ops_table.ops[mp->ops_index].enqueue} */
    static MemorySegment enqueueFunction(long pool) {
        return MemorySegment.ofAddress(
                Memory.getLongNative(operationsOf(pool) + ABI.mempoolOps().enqueue()));
    }

    private static long operationsOf(long pool) {
        DpdkAbi.MempoolOps ops = ABI.mempoolOps();
        int index = Memory.getIntNative(pool + ops.opsIndex());
        return MEMPOOL_OPS_TABLE + ops.tableOps() + (long) index * ops.stride();
    }

    /** {@code int (*)(struct rte_mempool *mp, void **obj_table, unsigned int n)}: all or nothing; 0 or a negative errno */
    static int mempoolOperation(MemorySegment function, long pool, long objects, int count) {
        try {
            return (int) MEMPOOL_OP.invokeExact(function, pool, objects, count);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code void rte_pktmbuf_free_bulk(struct rte_mbuf **mbufs, unsigned int count)} */
    static void freeBulk(long mbufs, int count) {
        try {
            PKTMBUF_FREE_BULK.invokeExact(mbufs, count);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    // ---- packet path ----

    /** {@code rte_eth_fp_ops[port].rx_pkt_burst}; valid once started */
    static MemorySegment rxBurstFunction(short port) {
        return MemorySegment.ofAddress(
                Memory.getLongNative(fastPathOf(port) + ABI.fastPath().rxBurst()));
    }

    /** {@code rte_eth_fp_ops[port].tx_pkt_burst}; valid once started */
    static MemorySegment txBurstFunction(short port) {
        return MemorySegment.ofAddress(
                Memory.getLongNative(fastPathOf(port) + ABI.fastPath().txBurst()));
    }

    /** {@code rte_eth_fp_ops[port].rxq.data[queue]} */
    static long rxQueue(short port, int queue) {
        return Memory.getLongNative(
                Memory.getLongNative(fastPathOf(port) + ABI.fastPath().rxqData()) + 8L * queue);
    }

    /** {@code rte_eth_fp_ops[port].txq.data[queue]} */
    static long txQueue(short port, int queue) {
        return Memory.getLongNative(
                Memory.getLongNative(fastPathOf(port) + ABI.fastPath().txqData()) + 8L * queue);
    }

    private static long fastPathOf(short port) {
        return FP_OPS + (long) port * ABI.fastPath().stride();
    }

    /** {@code uint16_t (*)(void *queue, struct rte_mbuf **pkts, uint16_t nb_pkts)} of a driver that only touches memory */
    static int burst(MemorySegment function, long queue, long mbufs, int count) {
        try {
            return (short) BURST_CRITICAL.invokeExact(function, queue, mbufs, (short) count);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** As {@link #burst}, of a driver that makes system calls. */
    static int burstWithSystemCalls(MemorySegment function, long queue, long mbufs, int count) {
        try {
            return (short) BURST_PLAIN.invokeExact(function, queue, mbufs, (short) count);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** A downcall itself throws nothing; only the JVM can fail here. */
    private static AssertionError unexpected(Throwable e) {
        return new AssertionError("downcall failed", e);
    }
}
