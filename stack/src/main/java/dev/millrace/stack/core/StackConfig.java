package dev.millrace.stack.core;

import dev.millrace.stack.ip.NetworkConfig;
import dev.millrace.stack.tcp.TcpConfig;
import dev.millrace.stack.wire.IpAddress;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a stack is told about its network and its limits. Immutable.
 *
 * @param addresses own addresses with their prefix lengths; loopback addresses need not be listed
 * @param gateways next hops for everything off-link, at most one per family
 * @param mtu largest IP packet in bytes
 * @param bufferBytesPerShard limit of send and receive memory per core
 * @param maxConnectionsPerShard limit of connections (all states but TIME-WAIT) per core
 * @param minRtoNs lower bound of the retransmission timeout (200 ms as Linux)
 * @param initialBufferBytes receive and send buffer of a fresh connection
 * @param maxReceiveBufferBytes limit of receive auto-tuning
 * @param maxSendBufferBytes limit of send auto-tuning
 * @param tuning changes to each shard's TCP beyond the above, made last
 * @param hopLimit time to live and hop limit of what is sent; 0 for the usual
 */
public record StackConfig(
        List<Interface> addresses,
        List<IpAddress> gateways,
        int mtu,
        long bufferBytesPerShard,
        int maxConnectionsPerShard,
        long minRtoNs,
        int initialBufferBytes,
        int maxReceiveBufferBytes,
        int maxSendBufferBytes,
        UnaryOperator<TcpConfig> tuning,
        int hopLimit) {

    /** One own address and the length of its on-link prefix in bits (of 32 or 128). */
    public record Interface(IpAddress address, int prefixLength) {
        /** True when {@code other} is of the same family and lies in this prefix. */
        public boolean contains(IpAddress other) {
            return address.sharesPrefix(other, prefixLength);
        }
    }

    public StackConfig {
        addresses = List.copyOf(addresses);
        gateways = List.copyOf(gateways);
    }

    /** Without tuning. */
    public StackConfig(
            List<Interface> addresses,
            List<IpAddress> gateways,
            int mtu,
            long bufferBytesPerShard,
            int maxConnectionsPerShard,
            long minRtoNs,
            int initialBufferBytes,
            int maxReceiveBufferBytes,
            int maxSendBufferBytes) {
        this(
                addresses,
                gateways,
                mtu,
                bufferBytesPerShard,
                maxConnectionsPerShard,
                minRtoNs,
                initialBufferBytes,
                maxReceiveBufferBytes,
                maxSendBufferBytes,
                UnaryOperator.identity(),
                0);
    }

    /** As this one, with other changes to each shard's TCP. */
    public StackConfig withTuning(UnaryOperator<TcpConfig> changes) {
        return new StackConfig(
                addresses,
                gateways,
                mtu,
                bufferBytesPerShard,
                maxConnectionsPerShard,
                minRtoNs,
                initialBufferBytes,
                maxReceiveBufferBytes,
                maxSendBufferBytes,
                changes,
                hopLimit);
    }

    /** As this one, with another time to live and hop limit of what is sent; 0 for the usual. */
    public StackConfig withHopLimit(int limit) {
        return new StackConfig(
                addresses,
                gateways,
                mtu,
                bufferBytesPerShard,
                maxConnectionsPerShard,
                minRtoNs,
                initialBufferBytes,
                maxReceiveBufferBytes,
                maxSendBufferBytes,
                tuning,
                limit);
    }

    /** Linux' defaults, with these addresses. */
    public static StackConfig of(List<Interface> addresses, List<IpAddress> gateways, int mtu) {
        return new StackConfig(
                addresses, gateways, mtu, 512L << 20, 1 << 20, 200_000_000L, 128 << 10, 6 << 20, 4 << 20);
    }

    /** As this one, with these limits of memory and connections. */
    public StackConfig withLimits(long bufferBytes, int connections) {
        return new StackConfig(
                addresses,
                gateways,
                mtu,
                bufferBytes,
                connections,
                minRtoNs,
                initialBufferBytes,
                maxReceiveBufferBytes,
                maxSendBufferBytes,
                tuning,
                hopLimit);
    }

    /** As this one, with these sizes of send and receive buffers and this lower bound of the retransmission timeout. */
    public StackConfig withBuffers(int initial, int maxReceive, int maxSend, long minRto) {
        return new StackConfig(
                addresses,
                gateways,
                mtu,
                bufferBytesPerShard,
                maxConnectionsPerShard,
                minRto,
                initial,
                maxReceive,
                maxSend,
                tuning,
                hopLimit);
    }

    /** Whether this is one of the configured addresses. */
    public boolean isConfigured(IpAddress address) {
        for (Interface own : addresses) {
            if (own.address().equals(address)) {
                return true;
            }
        }
        return false;
    }

    /** What the IP layer of one shard is told. */
    NetworkConfig network(int shard, int shards) {
        List<NetworkConfig.InterfaceAddress> own = addresses.stream()
                .map(each -> new NetworkConfig.InterfaceAddress(each.address(), each.prefixLength()))
                .toList();
        return new NetworkConfig(own, gateways, shard, shards, hopLimit);
    }

    /** What the TCP of one shard is told. */
    TcpConfig tcp(int shard) {
        return tuning.apply(TcpConfig.of(shard)
                .with(minRtoNs, initialBufferBytes, maxReceiveBufferBytes, maxSendBufferBytes, maxConnectionsPerShard));
    }

    /** The gateway of that family, or null. */
    public @Nullable IpAddress gateway(boolean v4) {
        for (IpAddress gateway : gateways) {
            if (gateway.isV4() == v4) {
                return gateway;
            }
        }
        return null;
    }
}
