package dev.millrace.stack.ip;

import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.NeighborMessage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which addresses are this host's: those on the link, found by open addressing on their bits, and the loopback ones. Core thread
 * only.
 */
final class OwnAddresses {
    private static final long INTERFACE_ID_UNIVERSAL = 1L << 57;
    private static final long LINK_LOCAL_HIGH = 0xfe80L << 48;

    private final List<OwnAddress> all = new ArrayList<>();
    private final @Nullable OwnAddress[] table;
    private final int[] v4Networks;
    private final int[] v4HostMasks;

    /** @param mac of the link, for the link-local address that comes with any IPv6 address (RFC 4291 §2.8); 0 without a link */
    OwnAddresses(List<NetworkConfig.InterfaceAddress> configured, long mac) {
        boolean v6 = false;
        boolean linkLocal = false;
        for (NetworkConfig.InterfaceAddress each : configured) {
            all.add(new OwnAddress(each.address(), each.prefixLength()));
            v6 |= !each.address().isV4();
            linkLocal |= !each.address().isV4() && each.address().isLinkLocal();
        }
        if (v6 && !linkLocal && mac != 0) {
            all.add(new OwnAddress(linkLocal(mac), 64));
        }
        table = new @Nullable OwnAddress[Math.max(8, Integer.highestOneBit(all.size()) * 4)];
        int v4 = 0;
        for (OwnAddress own : all) {
            insert(own);
            v4 += own.address.isV4() ? 1 : 0;
        }
        v4Networks = new int[v4];
        v4HostMasks = new int[v4];
        int index = 0;
        for (OwnAddress own : all) {
            if (own.address.isV4()) {
                int hostMask = own.prefixLength == 0 ? -1 : (1 << (32 - own.prefixLength)) - 1;
                v4HostMasks[index] = own.prefixLength == 32 ? 0 : hostMask;
                v4Networks[index] = own.address.v4Bits() & ~v4HostMasks[index];
                index++;
            }
        }
    }

    /** The link-local address of an interface (RFC 4291 appendix A, modified EUI-64). */
    static IpAddress linkLocal(long mac) {
        long interfaceId = (mac & 0xffff_ff00_0000L) << 16 | 0xff_fe00_0000L | (mac & 0xff_ffff);
        return new IpAddress(LINK_LOCAL_HIGH, interfaceId ^ INTERFACE_ID_UNIVERSAL);
    }

    private void insert(OwnAddress own) {
        int slot = slot(own.address.high(), own.address.low());
        OwnAddress there = table[slot];
        while (there != null) {
            if (there.address.equals(own.address)) {
                return; // listed twice
            }
            slot = (slot + 1) & (table.length - 1);
            there = table[slot];
        }
        table[slot] = own;
    }

    private int slot(long high, long low) {
        long mixed = (high * 31 + low) * 0x9e37_79b9_7f4a_7c15L;
        return (int) (mixed >>> 40) & (table.length - 1);
    }

    /** The usable own address with these bits on the link, or null. Loopback addresses are not among them. */
    @Nullable
    OwnAddress find(long high, long low) {
        int slot = slot(high, low);
        OwnAddress there = table[slot];
        while (there != null) {
            if (there.address.low() == low && there.address.high() == high) {
                return there.isUsable() ? there : null;
            }
            slot = (slot + 1) & (table.length - 1);
            there = table[slot];
        }
        return null;
    }

    boolean contains(long high, long low) {
        return find(high, low) != null;
    }

    /** Whether packets to this address stay in this host. */
    boolean isLocal(long high, long low) {
        return isLoopback(high, low) || contains(high, low);
    }

    static boolean isLoopback(long high, long low) {
        return high == 0 && (low == 1 || low >>> 24 == 0xffff_7fL);
    }

    /** All of them, duplicates included, in the order of configuration. */
    List<OwnAddress> all() {
        return all;
    }

    /** Whether an IPv4 address is a broadcast address: limited, or directed to the network of an own address (RFC 1122 §3.3.6). */
    boolean isBroadcast(int address) {
        if (address == -1) {
            return true;
        }
        for (int i = 0; i < v4Networks.length; i++) {
            int hostMask = v4HostMasks[i];
            int host = address & hostMask;
            // neither a /31 nor a /32 has a broadcast address (RFC 3021); all zeros is the old form of it
            if ((hostMask > 1 || hostMask < 0)
                    && (address & ~hostMask) == v4Networks[i]
                    && (host == hostMask || host == 0)) {
                return true;
            }
        }
        return false;
    }

    /** Whether this is an IPv6 group that this host is in: all nodes, or the solicited-node group of an own address. */
    boolean isJoined(long high, long low) {
        if (high != NeighborMessage.LINK_SCOPE_HIGH) {
            return false;
        }
        if (low == NeighborMessage.ALL_NODES_LOW) {
            return true;
        }
        for (int i = 0; i < all.size(); i++) {
            IpAddress own = all.get(i).address;
            if (!own.isV4() && NeighborMessage.solicitedNodeLow(own.low()) == low) {
                return true;
            }
        }
        return false;
    }
}
