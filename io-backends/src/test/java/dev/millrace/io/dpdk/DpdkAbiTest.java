package dev.millrace.io.dpdk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The offset table against DPDK's own headers, which a C compiler reads. */
class DpdkAbiTest {
    @TempDir
    private Path directory;

    @Test
    void offsetsAreThoseOfTheInstalledHeaders() throws Exception {
        DpdkLab.assumeDpdk();
        Assumptions.assumeTrue(
                Files.exists(Path.of("/usr/include/dpdk/rte_ethdev.h")) && Files.isExecutable(Path.of("/usr/bin/gcc")),
                "needs libdpdk-dev and gcc");
        DpdkAbi abi = DpdkLibrary.get().abi;
        Map<String, Integer> expected = expressions(abi);
        List<String> values = evaluate(List.copyOf(expected.keySet()));
        int i = 0;
        for (Map.Entry<String, Integer> entry : expected.entrySet()) {
            assertEquals(values.get(i++), entry.getValue().toString(), entry.getKey());
        }
    }

    private static Map<String, Integer> expressions(DpdkAbi abi) {
        Map<String, Integer> all = new LinkedHashMap<>();
        DpdkAbi.Mbuf mbuf = abi.mbuf();
        all.put("offsetof(struct rte_mbuf, buf_addr)", mbuf.bufAddr());
        all.put("offsetof(struct rte_mbuf, data_off)", mbuf.dataOff());
        all.put("offsetof(struct rte_mbuf, nb_segs)", mbuf.nbSegs());
        all.put("offsetof(struct rte_mbuf, port)", mbuf.port());
        all.put("offsetof(struct rte_mbuf, ol_flags)", mbuf.olFlags());
        all.put("offsetof(struct rte_mbuf, packet_type)", mbuf.packetType());
        all.put("offsetof(struct rte_mbuf, pkt_len)", mbuf.pktLen());
        all.put("offsetof(struct rte_mbuf, data_len)", mbuf.dataLen());
        all.put("offsetof(struct rte_mbuf, vlan_tci)", mbuf.vlanTci());
        all.put("offsetof(struct rte_mbuf, hash.rss)", mbuf.hash());
        all.put("offsetof(struct rte_mbuf, buf_len)", mbuf.bufLen());
        all.put("offsetof(struct rte_mbuf, next)", mbuf.next());
        all.put("offsetof(struct rte_mbuf, tx_offload)", mbuf.txOffload());
        DpdkAbi.FastPath path = abi.fastPath();
        all.put("sizeof(struct rte_eth_fp_ops)", path.stride());
        all.put("offsetof(struct rte_eth_fp_ops, rx_pkt_burst)", path.rxBurst());
        all.put("offsetof(struct rte_eth_fp_ops, rxq.data)", path.rxqData());
        all.put("offsetof(struct rte_eth_fp_ops, tx_pkt_burst)", path.txBurst());
        all.put("offsetof(struct rte_eth_fp_ops, txq.data)", path.txqData());
        DpdkAbi.MempoolOps ops = abi.mempoolOps();
        all.put("offsetof(struct rte_mempool, ops_index)", ops.opsIndex());
        all.put("offsetof(struct rte_mempool_ops_table, ops)", ops.tableOps());
        all.put("sizeof(struct rte_mempool_ops)", ops.stride());
        all.put("offsetof(struct rte_mempool_ops, dequeue)", ops.dequeue());
        all.put("offsetof(struct rte_mempool_ops, enqueue)", ops.enqueue());
        DpdkAbi.Config config = abi.config();
        all.put("sizeof(struct rte_eth_conf)", config.bytes());
        all.put("offsetof(struct rte_eth_conf, rxmode.mq_mode)", config.mqMode());
        all.put("offsetof(struct rte_eth_conf, rxmode.mtu)", config.mtu());
        all.put("offsetof(struct rte_eth_conf, rxmode.offloads)", config.rxOffloads());
        all.put("offsetof(struct rte_eth_conf, txmode.offloads)", config.txOffloads());
        all.put("offsetof(struct rte_eth_conf, rx_adv_conf.rss_conf.rss_key)", config.rssKey());
        all.put("offsetof(struct rte_eth_conf, rx_adv_conf.rss_conf.rss_key_len)", config.rssKeyLength());
        all.put("offsetof(struct rte_eth_conf, rx_adv_conf.rss_conf.rss_hf)", config.rssHashTypes());
        DpdkAbi.DeviceInfo info = abi.deviceInfo();
        all.put("sizeof(struct rte_eth_dev_info)", info.bytes());
        all.put("offsetof(struct rte_eth_dev_info, driver_name)", info.driverName());
        all.put("offsetof(struct rte_eth_dev_info, min_mtu)", info.minMtu());
        all.put("offsetof(struct rte_eth_dev_info, max_mtu)", info.maxMtu());
        all.put("offsetof(struct rte_eth_dev_info, max_rx_queues)", info.maxRxQueues());
        all.put("offsetof(struct rte_eth_dev_info, max_tx_queues)", info.maxTxQueues());
        all.put("offsetof(struct rte_eth_dev_info, rx_offload_capa)", info.rxOffloads());
        all.put("offsetof(struct rte_eth_dev_info, tx_offload_capa)", info.txOffloads());
        all.put("offsetof(struct rte_eth_dev_info, reta_size)", info.retaSize());
        all.put("offsetof(struct rte_eth_dev_info, hash_key_size)", info.hashKeySize());
        all.put("offsetof(struct rte_eth_dev_info, flow_type_rss_offloads)", info.rssHashTypes());
        all.put("offsetof(struct rte_eth_dev_info, rx_desc_lim)", info.rxDescriptorLimit());
        all.put("offsetof(struct rte_eth_dev_info, tx_desc_lim)", info.txDescriptorLimit());
        all.put("offsetof(struct rte_eth_dev_info, default_rxportconf.ring_size)", info.rxRingSize());
        all.put("offsetof(struct rte_eth_dev_info, default_txportconf.ring_size)", info.txRingSize());
        DpdkAbi.Statistics statistics = abi.statistics();
        all.put("sizeof(struct rte_eth_stats)", statistics.bytes());
        all.put("offsetof(struct rte_eth_stats, imissed)", statistics.rxMissed());
        all.put("offsetof(struct rte_eth_stats, ierrors)", statistics.rxErrors());
        all.put("offsetof(struct rte_eth_stats, oerrors)", statistics.txErrors());
        all.put("offsetof(struct rte_eth_stats, rx_nombuf)", statistics.rxNoMbuf());
        return all;
    }

    private List<String> evaluate(List<String> expressions) throws IOException, InterruptedException {
        StringBuilder source = new StringBuilder("""
                #include <stdio.h>
                #include <stddef.h>
                #include <rte_ethdev.h>
                #include <rte_mbuf.h>
                #include <rte_mempool.h>
                int main(void) {
                """);
        for (String expression : expressions) {
            source.append("printf(\"%d\\n\", (int) ").append(expression).append(");\n");
        }
        Path file = directory.resolve("offsets.c");
        Files.writeString(file, source.append("return 0; }\n"));
        Path program = directory.resolve("offsets");
        String flags = run("pkg-config", "--cflags", "libdpdk").strip();
        run("sh", "-c", "gcc -w " + flags + " -o " + program + " " + file);
        return run(program.toString()).lines().toList();
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }
}
