package dev.millrace.stack.wire;

import dev.millrace.stack.memory.Memory;
import org.jspecify.annotations.Nullable;

/**
 * Walks the extension headers of one IPv6 packet (RFC 8200 §4) up to the upper layer or a fragment header. A flyweight: a core has
 * one and refills it per packet.
 *
 * <p>Bounded against packets made to be slow: at most {@value #MAX_HEADERS} headers and {@value #MAX_OPTIONS} options that are not
 * padding. No option is understood; RFC 8200 §4.2's upper two type bits tell what to do with one that isn't.
 */
public final class Ipv6Extensions {
    private static final int MAX_HEADERS = 8;
    private static final int MAX_OPTIONS = 16;

    private static final int PAD1 = 0;
    private static final int PADN = 1;
    /** RFC 2711: tells routers to look at the packet; means nothing to a host. */
    private static final int ROUTER_ALERT = 5;

    /** What the walk found. */
    public enum Result {
        /** {@link #protocol} is an upper layer, or {@link IpProtocol#NO_NEXT_HEADER}; its bytes begin at {@link #payloadAddress}. */
        UPPER_LAYER,
        /** A fragment header stands at {@link #payloadAddress}, complete. */
        FRAGMENT,
        /** A length contradicts the bytes that are there. Silently dropped. */
        MALFORMED,
        /** More headers or options than anybody sends. Silently dropped. */
        TOO_MANY,
        /** An option says to be dropped silently when unknown. */
        UNKNOWN_OPTION_DISCARD,
        /** An option asks for a parameter problem (code 2, {@link #pointer}) when unknown. */
        UNKNOWN_OPTION_REPORT,
        /** As above, but not to a multicast destination. */
        UNKNOWN_OPTION_REPORT_UNICAST,
        /** Hop-by-hop options elsewhere than first: parameter problem code 1. */
        UNEXPECTED_HEADER,
        /** A routing header with segments left, of a type unknown here: parameter problem code 0. */
        ROUTING_HEADER
    }

    /** Next header value of what stands at {@link #payloadAddress}. */
    public int protocol;

    public long payloadAddress;
    public int payloadLength;

    /** Offset from the IPv6 header of the octet at fault. */
    public int pointer;

    /** Offset from the IPv6 header of the next header field that named {@link #protocol}. */
    public int protocolPointer;

    private long packet;
    private long end;
    private long at;

    /** Walks the headers of a packet that {@link Ipv6Header#isValid} has approved. */
    public Result walk(long address) {
        packet = address;
        at = address + Ipv6Header.BYTES;
        end = at + Ipv6Header.payloadLength(address);
        protocol = Ipv6Header.nextHeader(address);
        protocolPointer = 6;
        return walkOn(true);
    }

    /** Continues behind the fragment header that a walk found: the packet is a fragment by itself, whole (RFC 6946). */
    public Result walkBehindFragmentHeader() {
        skip(FragmentHeader.BYTES);
        Result result = walkOn(false);
        return result == Result.FRAGMENT ? Result.MALFORMED : result;
    }

    private Result walkOn(boolean fromStart) {
        for (int headers = 0; headers <= MAX_HEADERS; headers++) {
            Result result = one(fromStart && headers == 0);
            if (result != null) {
                payloadAddress = at;
                payloadLength = (int) (end - at);
                return result;
            }
        }
        return Result.TOO_MANY;
    }

    /** Looks at one header: null when it was an extension that has been stepped over. */
    private @Nullable Result one(boolean first) {
        return switch (protocol) {
            case IpProtocol.HOP_BY_HOP -> first ? options() : unexpected();
            case IpProtocol.DESTINATION_OPTIONS -> options();
            case IpProtocol.ROUTING -> routing();
            case IpProtocol.FRAGMENT -> end - at < FragmentHeader.BYTES ? Result.MALFORMED : Result.FRAGMENT;
            default -> Result.UPPER_LAYER;
        };
    }

    private Result unexpected() {
        pointer = protocolPointer;
        return Result.UNEXPECTED_HEADER;
    }

    private int headerBytes() {
        return end - at < 8 ? -1 : (Memory.getUnsignedByte(at + 1) + 1) * 8;
    }

    private void skip(int bytes) {
        protocol = Memory.getUnsignedByte(at);
        protocolPointer = (int) (at - packet);
        at += bytes;
    }

    private @Nullable Result routing() {
        int bytes = headerBytes();
        if (bytes < 0 || bytes > end - at) {
            return Result.MALFORMED;
        }
        if (Memory.getUnsignedByte(at + 3) != 0) { // segments left (RFC 8200 §4.4, RFC 5095)
            pointer = (int) (at - packet) + 2;
            return Result.ROUTING_HEADER;
        }
        skip(bytes);
        return null;
    }

    private @Nullable Result options() {
        int bytes = headerBytes();
        if (bytes < 0 || bytes > end - at) {
            return Result.MALFORMED;
        }
        long optionsEnd = at + bytes;
        long option = at + 2;
        int count = 0;
        while (option < optionsEnd) {
            int type = Memory.getUnsignedByte(option);
            if (type == PAD1) {
                option++;
                continue;
            }
            int optionBytes = optionsEnd - option < 2 ? -1 : Memory.getUnsignedByte(option + 1) + 2;
            if (optionBytes < 0 || optionBytes > optionsEnd - option) {
                return Result.MALFORMED;
            }
            if (type != PADN && type != ROUTER_ALERT) {
                if (++count > MAX_OPTIONS) {
                    return Result.TOO_MANY;
                }
                Result action = unknownOption(type);
                if (action != null) {
                    pointer = (int) (option - packet);
                    return action;
                }
            }
            option += optionBytes;
        }
        skip(bytes);
        return null;
    }

    private static @Nullable Result unknownOption(int type) {
        return switch (type >>> 6) { // RFC 8200 §4.2
            case 0 -> null;
            case 1 -> Result.UNKNOWN_OPTION_DISCARD;
            case 2 -> Result.UNKNOWN_OPTION_REPORT;
            default -> Result.UNKNOWN_OPTION_REPORT_UNICAST;
        };
    }
}
