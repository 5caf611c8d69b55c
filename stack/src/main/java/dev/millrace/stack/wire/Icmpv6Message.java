package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;
import org.jspecify.annotations.Nullable;

/**
 * ICMPv6 (RFC 4443): type, code, checksum over pseudo-header and message, four bytes that depend on the type, then data.
 * Stateless; any thread.
 */
public final class Icmpv6Message {
    public static final int HEADER_BYTES = 8;

    public static final int DESTINATION_UNREACHABLE = 1;
    public static final int PACKET_TOO_BIG = 2;
    public static final int TIME_EXCEEDED = 3;
    public static final int PARAMETER_PROBLEM = 4;
    public static final int ECHO_REQUEST = 128;
    public static final int ECHO_REPLY = 129;
    public static final int MULTICAST_LISTENER_QUERY = 130;
    public static final int ROUTER_SOLICITATION = 133;
    public static final int ROUTER_ADVERTISEMENT = 134;
    public static final int NEIGHBOR_SOLICITATION = 135;
    public static final int NEIGHBOR_ADVERTISEMENT = 136;
    public static final int MULTICAST_LISTENER_REPORT_V2 = 143;

    /** Code of DESTINATION_UNREACHABLE. */
    public static final int PORT_UNREACHABLE = 4;

    /** Code of TIME_EXCEEDED: a fragment never came. */
    public static final int REASSEMBLY_TIME = 1;

    // codes of PARAMETER_PROBLEM
    public static final int ERRONEOUS_FIELD = 0;
    public static final int UNRECOGNIZED_NEXT_HEADER = 1;
    public static final int UNRECOGNIZED_OPTION = 2;

    private Icmpv6Message() {}

    /** True when a header is there and the checksum, with this pseudo-header, is right. */
    public static boolean isValid(
            long address, int length, long sourceHigh, long sourceLow, long destinationHigh, long destinationLow) {
        if (length < HEADER_BYTES) {
            return false;
        }
        long pseudoHeader = pseudoHeader(sourceHigh, sourceLow, destinationHigh, destinationLow, length);
        return Checksum.finish(Checksum.add(pseudoHeader, address, length)) == 0;
    }

    private static long pseudoHeader(
            long sourceHigh, long sourceLow, long destinationHigh, long destinationLow, int length) {
        return Checksum.pseudoHeaderV6(
                sourceHigh, sourceLow, destinationHigh, destinationLow, IpProtocol.ICMPV6, length);
    }

    public static int type(long address) {
        return Memory.getUnsignedByte(address);
    }

    public static int code(long address) {
        return Memory.getUnsignedByte(address + 1);
    }

    /** The four bytes behind the checksum: the MTU of PACKET_TOO_BIG, for instance. */
    public static int rest(long address) {
        return Memory.getInt(address + 4);
    }

    /** RFC 4443 §2.1: types below 128 are errors. */
    public static boolean isError(int type) {
        return type < 128;
    }

    /** What an error message says, or null when its type is unknown. */
    public static @Nullable IcmpError error(int type, int code) {
        return switch (type) {
            case DESTINATION_UNREACHABLE ->
                switch (code) {
                    case 0 -> IcmpError.NETWORK_UNREACHABLE;
                    case 1, 5, 6 -> IcmpError.ADMINISTRATIVELY_PROHIBITED;
                    case PORT_UNREACHABLE -> IcmpError.PORT_UNREACHABLE;
                    default -> IcmpError.HOST_UNREACHABLE;
                };
            case PACKET_TOO_BIG -> IcmpError.PACKET_TOO_BIG;
            case TIME_EXCEEDED -> IcmpError.TIME_EXCEEDED;
            case PARAMETER_PROBLEM ->
                code == UNRECOGNIZED_NEXT_HEADER ? IcmpError.PROTOCOL_UNREACHABLE : IcmpError.PARAMETER_PROBLEM;
            default -> null;
        };
    }

    /** Writes the eight header bytes, then the checksum over pseudo-header, them, and the data already behind them. */
    public static void write(
            long address,
            int type,
            int code,
            int rest,
            int length,
            long sourceHigh,
            long sourceLow,
            long destinationHigh,
            long destinationLow) {
        Memory.putInt(address, type << 24 | code << 16);
        Memory.putInt(address + 4, rest);
        long pseudoHeader = pseudoHeader(sourceHigh, sourceLow, destinationHigh, destinationLow, length);
        Memory.putShortNative(address + 2, Checksum.finish(Checksum.add(pseudoHeader, address, length)));
    }
}
