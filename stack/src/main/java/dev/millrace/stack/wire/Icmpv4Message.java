package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;
import org.jspecify.annotations.Nullable;

/**
 * ICMP for IPv4 (RFC 792): type, code, checksum, four bytes that depend on the type, then data. Stateless; any thread.
 */
public final class Icmpv4Message {
    public static final int HEADER_BYTES = 8;

    public static final int ECHO_REPLY = 0;
    public static final int DESTINATION_UNREACHABLE = 3;
    public static final int ECHO_REQUEST = 8;
    public static final int TIME_EXCEEDED = 11;
    public static final int PARAMETER_PROBLEM = 12;

    // codes of DESTINATION_UNREACHABLE
    public static final int PROTOCOL_UNREACHABLE = 2;
    public static final int PORT_UNREACHABLE = 3;
    private static final int FRAGMENTATION_NEEDED = 4;
    private static final int SOURCE_ROUTE_FAILED = 5;
    private static final int COMMUNICATION_PROHIBITED_NETWORK = 9;
    private static final int COMMUNICATION_PROHIBITED_HOST = 10;
    private static final int COMMUNICATION_PROHIBITED = 13;

    /** Code of TIME_EXCEEDED: a fragment never came. */
    public static final int REASSEMBLY_TIME = 1;

    private Icmpv4Message() {}

    /** True when a header is there and the checksum is right. */
    public static boolean isValid(long address, int length) {
        return length >= HEADER_BYTES && Checksum.finish(Checksum.add(0, address, length)) == 0;
    }

    public static int type(long address) {
        return Memory.getUnsignedByte(address);
    }

    public static int code(long address) {
        return Memory.getUnsignedByte(address + 1);
    }

    /** Next-hop MTU of "fragmentation needed" (RFC 1191 §4); 0 from routers that are older. */
    public static int nextHopMtu(long address) {
        return Memory.getUnsignedShort(address + 6);
    }

    /** What an error message says, or null when it is none of interest to a host (RFC 792, 1122 §3.2.2, 1812 §5.2.7.1). */
    public static @Nullable IcmpError error(int type, int code) {
        return switch (type) {
            case DESTINATION_UNREACHABLE -> unreachable(code);
            case TIME_EXCEEDED -> IcmpError.TIME_EXCEEDED;
            case PARAMETER_PROBLEM -> IcmpError.PARAMETER_PROBLEM;
            default -> null;
        };
    }

    private static IcmpError unreachable(int code) {
        return switch (code) {
            case 0, 6, 8, 11 -> IcmpError.NETWORK_UNREACHABLE;
            case PROTOCOL_UNREACHABLE -> IcmpError.PROTOCOL_UNREACHABLE;
            case PORT_UNREACHABLE -> IcmpError.PORT_UNREACHABLE;
            case FRAGMENTATION_NEEDED -> IcmpError.PACKET_TOO_BIG;
            case COMMUNICATION_PROHIBITED_NETWORK, COMMUNICATION_PROHIBITED_HOST, COMMUNICATION_PROHIBITED ->
                IcmpError.ADMINISTRATIVELY_PROHIBITED;
            case SOURCE_ROUTE_FAILED -> IcmpError.HOST_UNREACHABLE;
            default -> IcmpError.HOST_UNREACHABLE;
        };
    }

    /** Writes the eight header bytes, then the checksum over them and the data already behind them. */
    public static void write(long address, int type, int code, int rest, int length) {
        Memory.putInt(address, type << 24 | code << 16);
        Memory.putInt(address + 4, rest);
        Memory.putShortNative(address + 2, Checksum.finish(Checksum.add(0, address, length)));
    }
}
