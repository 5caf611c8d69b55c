package dev.millrace.compat.packetdrill;

import dev.millrace.stack.wire.TcpSegment;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads TCP segments and ICMP errors. One thread. */
final class PacketParser {
    private static final String FLAG_LETTERS = "SFRPUEWAN.-";

    private static final Map<String, int[]> UNREACHABLE_V4 = Map.ofEntries(
            Map.entry("net_unreachable", new int[] {3, 0}),
            Map.entry("host_unreachable", new int[] {3, 1}),
            Map.entry("protocol_unreachable", new int[] {3, 2}),
            Map.entry("port_unreachable", new int[] {3, 3}),
            Map.entry("frag_needed", new int[] {3, 4}),
            Map.entry("source_route_failed", new int[] {3, 5}),
            Map.entry("net_unknown", new int[] {3, 6}),
            Map.entry("host_unknown", new int[] {3, 7}),
            Map.entry("source_host_isolated", new int[] {3, 8}),
            Map.entry("net_prohibited", new int[] {3, 9}),
            Map.entry("host_prohibited", new int[] {3, 10}),
            Map.entry("net_unreachable_for_tos", new int[] {3, 11}),
            Map.entry("host_unreachable_for_tos", new int[] {3, 12}),
            Map.entry("packet_filtered", new int[] {3, 13}),
            Map.entry("precedence_violation", new int[] {3, 14}),
            Map.entry("precedence_cutoff", new int[] {3, 15}));

    private static final Map<String, int[]> UNREACHABLE_V6 = Map.of(
            "no_route", new int[] {1, 0},
            "admin_prohibited", new int[] {1, 1},
            "address_unreachable", new int[] {1, 3},
            "port_unreachable", new int[] {1, 4});

    private final Scanner scanner;

    PacketParser(Scanner scanner) {
        this.scanner = scanner;
    }

    // ---- ICMP ----

    /**
     * Behind the word {@code icmp} or {@code icmpv6}.
     *
     * @param before what it quotes, where that stood in front of the word
     */
    IcmpSpec icmp(boolean v6, @Nullable Quotation before) {
        String type = scanner.word();
        int[] typeAndCode = switch (type) {
            case "unreachable" -> unreachable(v6);
            case "packet_too_big" -> new int[] {2, 0};
            case "source_quench" -> new int[] {4, 0};
            case "time_exceeded" -> {
                String code = scanner.word();
                yield new int[] {v6 ? 3 : 11, code.startsWith("frag") || code.equals("exc_fragtime") ? 1 : 0};
            }
            case "parameter_problem" -> new int[] {v6 ? 4 : 12, parameterProblem(v6)};
            default -> throw new UnsupportedConstructException("icmp " + type);
        };
        int mtu = scanner.takeWord("mtu") ? (int) scanner.number() : 0;
        Quotation quoted = before != null ? before : scanner.take("[") ? quotation() : new Quotation(0, 0);
        return new IcmpSpec(v6, typeAndCode[0], typeAndCode[1], mtu, quoted.sequence(), quoted.length());
    }

    private int length() {
        long length = scanner.number();
        if (length < 0 || length > Integer.MAX_VALUE) {
            throw new ScriptException("a length of " + length);
        }
        return (int) length;
    }

    /** What an ICMP error quotes of a segment. */
    record Quotation(long sequence, int length) {}

    /** {@code [from:to(length)]} where an ICMP error follows it; otherwise null, and nothing is taken. */
    @Nullable
    Quotation quotationBeforeIcmp() {
        int start = scanner.position();
        if (scanner.take("[") && scanner.atNumber()) {
            Quotation quoted = quotation();
            if (scanner.looksAt("icmp")) {
                return quoted;
            }
        }
        scanner.back(start);
        return null;
    }

    private Quotation quotation() {
        if (scanner.looksAt("udp")) {
            throw new UnsupportedConstructException("udp");
        }
        long sequence = scanner.number();
        scanner.expect(":");
        scanner.number();
        scanner.expect("(");
        int length = length();
        scanner.expect(")");
        scanner.expect("]");
        return new Quotation(sequence, length);
    }

    private int[] unreachable(boolean v6) {
        if (scanner.looksAt("[")) {
            return new int[] {v6 ? 1 : 3, 0};
        }
        String code = scanner.word();
        int[] found = (v6 ? UNREACHABLE_V6 : UNREACHABLE_V4).get(code);
        if (found == null) {
            throw new UnsupportedConstructException("icmp unreachable " + code);
        }
        return found;
    }

    private int parameterProblem(boolean v6) {
        String code = scanner.word();
        return switch (code) {
            case "code_0", "erroneous_header" -> 0;
            case "code_1", "unknown_next_header" -> 1;
            case "code_2", "unknown_option" -> 2;
            default ->
                throw new UnsupportedConstructException("icmp" + (v6 ? "v6" : "") + " parameter_problem " + code);
        };
    }

    // ---- TCP ----

    PacketSpec tcp() {
        int ecn = PacketSpec.UNSPECIFIED;
        if (scanner.take("[")) {
            ecn = ecn(scanner.until("]").strip());
        } else if (scanner.take("(")) {
            throw new UnsupportedConstructException("(" + scanner.until(")") + ")");
        }
        for (String other : List.of("udp", "udplite", "mpls", "gre", "ipv4", "ipv6", "raw", "mptcp", "sctp")) {
            if (scanner.takeWord(other)) {
                throw new UnsupportedConstructException(other);
            }
        }
        String letters = scanner.span(FLAG_LETTERS);
        int flags = flags(letters);
        long sequence = PacketSpec.ANY_SEQUENCE;
        if (!scanner.take("...")) {
            sequence = scanner.number();
            scanner.expect(":");
            scanner.number();
        }
        scanner.expect("(");
        int length = length();
        scanner.expect(")");
        long ack = 0;
        if (scanner.takeWord("ack")) {
            ack = scanner.number();
        }
        int window = scanner.takeWord("win") ? (int) scanner.number() : PacketSpec.UNSPECIFIED;
        int urgent = scanner.takeWord("urg") ? (int) scanner.number() : 0;
        boolean any = false;
        List<TcpOption> options = List.of();
        if (scanner.looksAt("<")) {
            scanner.expect("<");
            if (scanner.take("...")) {
                any = true;
                scanner.expect(">");
            } else {
                options = options();
            }
        }
        if (scanner.take("{")) {
            throw new UnsupportedConstructException("{" + scanner.until("}").strip() + "} behind a packet");
        }
        return new PacketSpec(ecn, flags, sequence, length, ack, window, urgent, any, options);
    }

    private static int ecn(String text) {
        return switch (text) {
            case "noecn" -> 0;
            case "ect1" -> 1;
            case "ect0" -> 2;
            case "ce" -> 3;
            case "ect" -> PacketSpec.ANY_ECT;
            default -> throw new UnsupportedConstructException("[" + text + "]");
        };
    }

    private static int flags(String letters) {
        int flags = 0;
        for (int i = 0; i < letters.length(); i++) {
            flags |= switch (letters.charAt(i)) {
                case 'S' -> TcpSegment.SYN;
                case 'F' -> TcpSegment.FIN;
                case 'R' -> TcpSegment.RST;
                case 'P' -> TcpSegment.PSH;
                case 'U' -> TcpSegment.URG;
                case 'E' -> TcpSegment.ECE;
                case 'W' -> TcpSegment.CWR;
                case '.' -> TcpSegment.ACK;
                case '-' -> 0;
                default -> throw new UnsupportedConstructException("flag " + letters.charAt(i));
            };
        }
        return flags;
    }

    private List<TcpOption> options() {
        List<TcpOption> options = new ArrayList<>();
        while (!scanner.take(">")) {
            options.add(option(scanner.word()));
            if (!scanner.take(",") && !scanner.looksAt(">")) {
                throw new ScriptException("expected ',' or '>' and found '" + scanner.rest() + "'");
            }
        }
        return options;
    }

    private TcpOption option(String name) {
        return switch (name) {
            case "nop" -> TcpOption.of(TcpOption.NOP);
            case "eol" -> TcpOption.of(TcpOption.EOL);
            case "mss" -> {
                int mss = (int) scanner.number();
                yield TcpOption.of(TcpOption.MSS, mss >>> 8, mss);
            }
            case "wscale" -> TcpOption.of(TcpOption.WINDOW_SCALE, (int) scanner.number());
            case "sackOK" -> TcpOption.of(TcpOption.SACK_PERMITTED);
            case "sack" -> sack();
            case "TS" -> {
                scanner.expect("val");
                if (scanner.take("...")) {
                    scanner.expect("ecr");
                    yield TcpOption.words(TcpOption.TIMESTAMPS, (int) scanner.number());
                }
                int value = (int) scanner.number();
                scanner.expect("ecr");
                yield TcpOption.words(TcpOption.TIMESTAMPS, value, (int) scanner.number());
            }
            case "FO" -> fastOpen(TcpOption.FAST_OPEN);
            case "FOEXP" -> fastOpen(TcpOption.EXPERIMENTAL);
            default -> throw new UnsupportedConstructException("TCP option " + name);
        };
    }

    private TcpOption sack() {
        List<Integer> edges = new ArrayList<>();
        while (scanner.atNumber()) {
            edges.add((int) scanner.number());
            scanner.expect(":");
            edges.add((int) scanner.number());
        }
        return TcpOption.words(
                TcpOption.SACK, edges.stream().mapToInt(Integer::intValue).toArray());
    }

    private byte[] cookie() {
        String digits = scanner.span("0123456789abcdefABCDEF");
        if (digits.length() % 2 != 0) {
            throw new ScriptException(
                    "'" + digits + "' is no Fast Open cookie: it must be whole octets in hexadecimal");
        }
        return HexFormat.of().parseHex(digits);
    }

    private TcpOption fastOpen(int kind) {
        TcpOption option = new TcpOption(kind, TcpOption.STACK_COOKIE);
        return scanner.takeWord("TFO_COOKIE") ? option : option.withCookie(cookie());
    }
}
