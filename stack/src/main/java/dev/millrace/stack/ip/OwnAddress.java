package dev.millrace.stack.ip;

import dev.millrace.stack.wire.IpAddress;

/**
 * One address of this host and how sure it is of it. Core thread only.
 *
 * <p>Addresses are configured by a person, so they serve from the first moment, as optimistic ones (RFC 4429), while duplicate
 * detection (RFC 4862 §5.4, 5227 §2.1) runs beside: a server that was restarted answers at once.
 */
final class OwnAddress {
    /** How sure. */
    enum State {
        /** In use while duplicate detection runs; does not override what others have in their caches (RFC 4429 §3.3). */
        OPTIMISTIC,
        /** Nobody has objected. */
        PREFERRED,
        /** Another host has it: not used any more (RFC 4862 §5.4.5, 5227 §2.1.1). */
        DUPLICATE
    }

    final IpAddress address;
    final int prefixLength;
    State state = State.OPTIMISTIC;

    // duplicate detection
    int probesSent;
    int announcementsSent;
    long deadlineNs;
    long lastDefenceNs = Long.MIN_VALUE;

    OwnAddress(IpAddress address, int prefixLength) {
        this.address = address;
        this.prefixLength = prefixLength;
    }

    boolean isUsable() {
        return state != State.DUPLICATE;
    }

    boolean onLink(IpAddress other) {
        return address.sharesPrefix(other, prefixLength);
    }
}
