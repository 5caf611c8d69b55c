package dev.millrace.io.dpdk;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the fields lie that DPDK's own headers reach inline. They are private to a release, so each supported release has its own line here; a release
 * that is not listed is refused, because a wrong offset would corrupt memory.
 *
 * @param release the release as {@code rte_version()} begins
 * @param soVersion what its libraries' file names end with
 */
record DpdkAbi(
        String release,
        String soVersion,
        Mbuf mbuf,
        FastPath fastPath,
        MempoolOps mempoolOps,
        Config config,
        DeviceInfo deviceInfo,
        Statistics statistics) {

    /** {@code struct rte_mbuf} (rte_mbuf_core.h); {@code hash} is the RSS hash. */
    record Mbuf(
            int bufAddr,
            int dataOff,
            int nbSegs,
            int port,
            int olFlags,
            int packetType,
            int pktLen,
            int dataLen,
            int vlanTci,
            int hash,
            int bufLen,
            int next,
            int txOffload) {}

    /** {@code struct rte_eth_fp_ops} (rte_ethdev_core.h), an element of {@code rte_eth_fp_ops[]}. */
    record FastPath(int stride, int rxBurst, int rxqData, int txBurst, int txqData) {}

    /** {@code rte_mempool_ops_table} and {@code struct rte_mempool_ops} (rte_mempool.h); {@code opsIndex} lies in {@code struct rte_mempool}. */
    record MempoolOps(int opsIndex, int tableOps, int stride, int dequeue, int enqueue) {}

    /** {@code struct rte_eth_conf} (rte_ethdev.h). */
    record Config(
            int bytes,
            int mqMode,
            int mtu,
            int rxOffloads,
            int txOffloads,
            int rssKey,
            int rssKeyLength,
            int rssHashTypes) {}

    /** {@code struct rte_eth_dev_info} (rte_ethdev.h). */
    record DeviceInfo(
            int bytes,
            int driverName,
            int minMtu,
            int maxMtu,
            int maxRxQueues,
            int maxTxQueues,
            int rxOffloads,
            int txOffloads,
            int retaSize,
            int hashKeySize,
            int rssHashTypes,
            int rxDescriptorLimit,
            int txDescriptorLimit,
            int rxRingSize,
            int txRingSize) {}

    /** {@code struct rte_eth_stats} (rte_ethdev.h). */
    record Statistics(int bytes, int rxMissed, int rxErrors, int txErrors, int rxNoMbuf) {}

    private static final List<DpdkAbi> KNOWN = List.of(new DpdkAbi(
            "DPDK 22.11",
            "23",
            new Mbuf(0, 16, 20, 22, 24, 32, 36, 40, 42, 44, 54, 64, 72),
            new FastPath(128, 0, 24, 64, 88),
            new MempoolOps(88, 64, 128, 56, 48),
            new Config(2272, 8, 12, 24, 72, 128, 136, 144),
            new DeviceInfo(376, 8, 20, 22, 44, 46, 72, 80, 104, 106, 112, 262, 272, 296, 302),
            new Statistics(704, 32, 40, 48, 56)));

    static List<DpdkAbi> known() {
        return KNOWN;
    }

    /** The table for what {@code rte_version()} says, or null. */
    static @Nullable DpdkAbi of(String version) {
        for (DpdkAbi abi : KNOWN) {
            if (version.equals(abi.release) || version.startsWith(abi.release + ".")) {
                return abi;
            }
        }
        return null;
    }

    /** The supported releases, for messages. */
    static String supported() {
        return String.join(", ", KNOWN.stream().map(DpdkAbi::release).toList());
    }
}
