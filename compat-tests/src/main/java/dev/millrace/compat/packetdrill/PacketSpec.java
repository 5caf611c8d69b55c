package dev.millrace.compat.packetdrill;

import java.util.List;

/**
 * A TCP segment as the script writes it; numbers are the script's.
 *
 * @param ecn bits of the IP header, or one of the constants below
 * @param flags bits of {@code TcpSegment}
 * @param window the field on the wire, {@link #UNSPECIFIED} when any will do
 * @param anyOptions {@code <...>}: the options are not looked at
 */
record PacketSpec(
        int ecn,
        int flags,
        long sequence,
        int length,
        long acknowledgment,
        int window,
        int urgentPointer,
        boolean anyOptions,
        List<TcpOption> options) {
    static final int UNSPECIFIED = -1;

    /** {@code ...(0)}: the sequence number is not looked at. */
    static final long ANY_SEQUENCE = Long.MIN_VALUE;

    /** {@code [ect]}: either ECT. */
    static final int ANY_ECT = -2;

    boolean has(int flag) {
        return (flags & flag) != 0;
    }
}
