package dev.millrace.provider.settings;

import dev.millrace.stack.core.StackConfig.Interface;
import dev.millrace.stack.wire.IpAddress;
import java.net.InetAddress;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Values as people write them. Each method throws {@link IllegalArgumentException} with the problem in words. */
final class Values {
    private static final Pattern DOTTED = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}");
    private static final Pattern COLONS = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");
    private static final Pattern MAC = Pattern.compile("[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,15})([KMGT]?)");
    private static final int CPU_LIMIT = 4096;

    private Values() {}

    static long number(String text, long least, long most) {
        if (!text.matches("\\d{1,18}")) {
            throw new IllegalArgumentException("not a number");
        }
        long value = Long.parseLong(text);
        if (value < least || value > most) {
            throw new IllegalArgumentException("out of range");
        }
        return value;
    }

    /** Bytes; the suffixes are powers of 1024. */
    static long size(String text, long least, long most) {
        var match = SIZE.matcher(text);
        if (!match.matches()) {
            throw new IllegalArgumentException("not a size");
        }
        long value = Long.parseLong(match.group(1));
        int shift = match.group(2).isEmpty() ? 0 : 10 * ("KMGT".indexOf(match.group(2)) + 1);
        if (value > most >> shift || value << shift < least) {
            throw new IllegalArgumentException("out of range");
        }
        return value << shift;
    }

    /** A literal address; names are not looked up. */
    static IpAddress address(String text) {
        if (!DOTTED.matcher(text).matches() && !COLONS.matcher(text).matches()) {
            throw new IllegalArgumentException("\"" + text + "\" is not an IPv4 or IPv6 address");
        }
        try {
            return IpAddress.of(InetAddress.ofLiteral(text).getAddress());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("\"" + text + "\" is not an IPv4 or IPv6 address", e);
        }
    }

    /** An own address, {@code 203.0.113.7/24}. */
    static Interface cidr(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("\"" + text + "\" has no prefix length");
        }
        IpAddress address = address(text.substring(0, slash));
        if (address.isAny() || address.isLoopback() || address.isMulticast()) {
            throw new IllegalArgumentException("\"" + text + "\" is not an address a host can have on a link");
        }
        return new Interface(address, prefixLength(text, slash, address));
    }

    /** Addresses to match, {@code 203.0.113.0/24} or a single one. */
    static Interface prefix(String text) {
        int slash = text.indexOf('/');
        IpAddress address = address(slash < 0 ? text : text.substring(0, slash));
        return new Interface(address, slash < 0 ? (address.isV4() ? 32 : 128) : prefixLength(text, slash, address));
    }

    private static int prefixLength(String text, int slash, IpAddress address) {
        int most = address.isV4() ? 32 : 128;
        try {
            return (int) number(text.substring(slash + 1), 0, most);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("\"" + text + "\" needs a prefix length of 0 to " + most, e);
        }
    }

    static long mac(String text) {
        if (!MAC.matcher(text).matches()) {
            throw new IllegalArgumentException("not a hardware address");
        }
        long mac = Long.parseLong(text.replace(":", ""), 16);
        if (mac == 0 || (mac >> 40 & 1) != 0) {
            throw new IllegalArgumentException("not the address of one station");
        }
        return mac;
    }

    /** {@code 2,3} or {@code 4-7} or both. */
    static List<Integer> cpus(String text) {
        List<Integer> cpus = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            int dash = part.indexOf('-');
            long first = number(dash < 0 ? part : part.substring(0, dash), 0, CPU_LIMIT - 1);
            long last = dash < 0 ? first : number(part.substring(dash + 1), first, CPU_LIMIT - 1);
            for (long cpu = first; cpu <= last; cpu++) {
                if (cpus.contains((int) cpu)) {
                    throw new IllegalArgumentException("processor " + cpu + " is named twice");
                }
                cpus.add((int) cpu);
            }
        }
        return cpus;
    }

    /** Why a file could not be used, in words. */
    static String reason(Exception e) {
        return switch (e) {
            case NoSuchFileException _ -> "no such file";
            case AccessDeniedException _ -> "permission denied";
            default -> String.valueOf(e.getMessage());
        };
    }
}
