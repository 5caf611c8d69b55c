package dev.millrace.stack.ip;

import dev.millrace.stack.wire.IpAddress;

/**
 * Which of two own addresses is the better source for a destination: RFC 6724 §5 for IPv6, the address on the next hop's network
 * for IPv4 (RFC 1122 §3.3.4.3). Rules about temporary and home addresses have nothing to choose here.
 */
final class SourceAddressRule {
    private SourceAddressRule() {}

    /** True when {@code a} is strictly better than {@code b}, so that the one configured first wins a draw. */
    static boolean prefers(OwnAddress a, OwnAddress b, IpAddress destination, IpAddress nextHop) {
        if (a.onLink(nextHop) != b.onLink(nextHop) && destination.isV4()) {
            return a.onLink(nextHop);
        }
        int scopeA = scope(a.address);
        int scopeB = scope(b.address);
        if (scopeA != scopeB) { // rule 2: appropriate scope
            int wanted = scope(destination);
            return scopeA < scopeB ? scopeA >= wanted : scopeB < wanted;
        }
        if (a.state != b.state) { // rule 3: an optimistic address is a deprecated one (RFC 4429 §3.1)
            return a.state == OwnAddress.State.PREFERRED;
        }
        int label = label(destination);
        boolean labelA = label(a.address) == label;
        boolean labelB = label(b.address) == label;
        if (labelA != labelB) { // rule 6: matching label
            return labelA;
        }
        return common(a, destination) > common(b, destination); // rule 8: longest matching prefix
    }

    private static int common(OwnAddress own, IpAddress destination) {
        int limit = own.address.isV4() ? own.prefixLength + 96 : own.prefixLength;
        return Math.min(limit, own.address.commonPrefixBits(destination));
    }

    /** RFC 6724 §3.1: link-local 2, everything else that a unicast address can be is global, 14. */
    private static int scope(IpAddress address) {
        return address.isLinkLocal() || address.isLoopback() ? 2 : 14;
    }

    /** RFC 6724 §2.1, the default policy table. */
    private static int label(IpAddress address) {
        long high = address.high();
        if (address.isV4()) {
            return 4;
        }
        if (address.isLoopback()) {
            return 0;
        }
        if (high >>> 48 == 0x2002) {
            return 2; // 6to4
        }
        if (high >>> 32 == 0x2001_0000L) {
            return 5; // Teredo
        }
        if (high >>> 57 == 0xfc >>> 1) {
            return 13; // unique local
        }
        return 1;
    }
}
