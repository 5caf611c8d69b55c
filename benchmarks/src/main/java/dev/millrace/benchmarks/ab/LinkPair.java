package dev.millrace.benchmarks.ab;

import java.nio.file.Path;

/**
 * The {@code link} settings of the server's and the client's JVM, two ends of one cable in shared memory.
 *
 * @param server what the server's JVM is told
 * @param client what the client's JVM is told
 */
record LinkPair(String server, String client) {

    /**
     * {@code memif}, {@code vhost}, or both ends written out and separated by a space.
     *
     * @param directory a fresh one for this pair's sockets
     */
    static LinkPair of(String text, Path directory) {
        Path socket = directory.resolve("link.sock");
        return switch (text) {
            case "memif" ->
                new LinkPair(
                        "dpdk:net_memif0,role=server,socket-abstract=no,socket=" + socket,
                        "dpdk:net_memif0,role=client,socket-abstract=no,socket=" + socket);
            case "vhost" ->
                new LinkPair("dpdk:net_vhost0,iface=" + socket, "dpdk:net_virtio_user0,path=" + socket + ",queues=1");
            default -> {
                String[] ends = text.split(" ", -1);
                if (ends.length != 2) {
                    throw new IllegalArgumentException("--link=" + text
                            + ": expected memif, vhost, or the server's and the client's link separated by a space");
                }
                yield new LinkPair(ends[0], ends[1]);
            }
        };
    }

    /** Whether an end is DPDK and hence wants huge pages. */
    boolean isDpdk() {
        return server.startsWith("dpdk:") || client.startsWith("dpdk:");
    }
}
