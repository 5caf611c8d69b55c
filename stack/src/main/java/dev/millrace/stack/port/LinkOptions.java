package dev.millrace.stack.port;

import java.util.List;

/**
 * What the stack asks of a link.
 *
 * @param queues queue pairs wanted (one per shard); a port that has fewer is wrapped in a distributing one by the provider
 * @param mtu largest IP packet in bytes, 0 for the link's own
 * @param mac hardware address in the low 48 bits, 0 for the link's own choice
 * @param packets packets per queue pool
 * @param extraArguments words for the backend's own use ({@code dpdk.args})
 */
public record LinkOptions(int queues, int mtu, long mac, int packets, List<String> extraArguments) {
    public static LinkOptions defaults() {
        return new LinkOptions(1, 0, 0, 4096, List.of());
    }
}
