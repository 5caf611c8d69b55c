package dev.millrace.io.distribute;

import dev.millrace.io.PortDecorator;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.PortCapabilities;
import dev.millrace.stack.port.PortStatistics;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;

/**
 * Gives each shard a queue pair on a link that has only one: flows are spread by the Toeplitz hash, as a network card would.
 *
 * <p>Any shard that looks for frames takes a burst and deals it out; there is no thread in between. Address resolution goes to every shard, whatever is
 * neither TCP nor UDP to the first. Only the first queue pair of the port beneath is used.
 */
public final class DistributingPort extends PortDecorator {
    /** Woken shards are noted in the bits of a long. */
    public static final int MAX_SHARDS = 64;

    private static final int ETHERNET_HEADER_BYTES = 14;
    private static final int VLAN_TAG_BYTES = 4;

    private final PortCapabilities capabilities;
    private final ShardQueue[] shards;

    /**
     * @param inner lets one thread sleep in {@code await} while another receives or sends, as tap and dpdk do; decorators that keep frames go around a distributing port,
     *     not beneath
     * @param shards 1 to {@link #MAX_SHARDS}
     * @param packets packets per shard and direction
     */
    public DistributingPort(Port inner, int shards, int packets) {
        super(inner);
        if (shards < 1 || shards > MAX_SHARDS) {
            throw new IllegalArgumentException("1 to " + MAX_SHARDS + " shards, not " + shards);
        }
        PortCapabilities beneath = inner.capabilities();
        this.capabilities = new PortCapabilities(
                beneath.rxChecksum(), beneath.txChecksum(), true, beneath.trusted(), beneath.awaitable());
        this.shards = new ShardQueue[shards];
        SharedQueue shared = new SharedQueue(inner.rx(0), inner.tx(0));
        int rxCapacity = ETHERNET_HEADER_BYTES + VLAN_TAG_BYTES + inner.mtu();
        int txCapacity = TxQueue.HEADROOM + ETHERNET_HEADER_BYTES + inner.mtu();
        for (int i = 0; i < shards; i++) {
            this.shards[i] = new ShardQueue(i, shared, this.shards, packets, rxCapacity, txCapacity);
        }
    }

    @Override
    public PortCapabilities capabilities() {
        return capabilities;
    }

    @Override
    public int queues() {
        return shards.length;
    }

    @Override
    public RxQueue rx(int queue) {
        return shards[queue];
    }

    @Override
    public TxQueue tx(int queue) {
        return shards[queue];
    }

    @Override
    public PortStatistics statistics() {
        PortStatistics beneath = inner.statistics();
        long dropped = beneath.rxDropped();
        for (ShardQueue shard : shards) {
            dropped += shard.rxDropped();
        }
        return new PortStatistics(dropped, beneath.rxErrors(), beneath.txDropped());
    }

    @Override
    protected void closeOwn() {
        for (ShardQueue shard : shards) {
            shard.close();
        }
    }
}
