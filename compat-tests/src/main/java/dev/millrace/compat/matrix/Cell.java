package dev.millrace.compat.matrix;

import java.util.ArrayList;
import java.util.List;

/**
 * One kind of peer and link, written as {@code server/v4/tap/cubic/timestamps/sack/1500/loss=1%}.
 *
 * @param values one of each of {@link #AXES}
 */
public record Cell(List<String> values) {
    private static final int SIDE = 0;
    private static final int FAMILY = 1;
    private static final int LINK = 2;
    private static final int CONGESTION = 3;
    private static final int TIMESTAMPS = 4;
    private static final int SACK = 5;
    private static final int MTU = 6;
    private static final int IMPAIRMENT = 7;

    /** What a cell chooses from, in its order. The side is Millrace's; congestion control, timestamps and SACK are the peer's. */
    static final List<List<String>> AXES = List.of(
            List.of("server", "client"),
            List.of("v4", "v6"),
            List.of("tap", "veth"),
            List.of("cubic", "reno", "bbr", "dctcp"),
            List.of("timestamps", "no-timestamps"),
            List.of("sack", "no-sack"),
            List.of("576", "1280", "1500", "9000"),
            List.of(
                    "clean",
                    "loss=0.1%",
                    "loss=1%",
                    "loss=5%",
                    "reorder=5%",
                    "duplicate=3%",
                    "corrupt=1%",
                    "pause=200ms"));

    public Cell {
        values = List.copyOf(values);
        if (values.size() != AXES.size()) {
            throw new IllegalArgumentException(String.join("/", values) + ": expected one of each of " + AXES);
        }
        for (int i = 0; i < values.size(); i++) {
            // a reproducing command may try any impairment
            if (i != IMPAIRMENT && !AXES.get(i).contains(values.get(i))) {
                throw new IllegalArgumentException("'" + values.get(i) + "' is none of " + AXES.get(i));
            }
        }
    }

    static Cell parse(String text) {
        return new Cell(List.of(text.split("/", -1)));
    }

    /** IPv6 needs links of 1280 bytes (RFC 8200 section 5). */
    static boolean isPossible(List<String> values) {
        return !(values.get(FAMILY).equals("v6") && values.get(MTU).equals("576"));
    }

    /** Every possible combination. */
    static List<Cell> all() {
        List<List<String>> combinations = List.of(List.of());
        for (List<String> axis : AXES) {
            List<List<String>> longer = new ArrayList<>();
            for (List<String> start : combinations) {
                for (String value : axis) {
                    List<String> one = new ArrayList<>(start);
                    one.add(value);
                    longer.add(one);
                }
            }
            combinations = longer;
        }
        return combinations.stream().filter(Cell::isPossible).map(Cell::new).toList();
    }

    static List<String> congestionControls() {
        return AXES.get(CONGESTION);
    }

    boolean millraceServes() {
        return values.get(SIDE).equals("server");
    }

    boolean isV6() {
        return values.get(FAMILY).equals("v6");
    }

    /** Whether Millrace's end is one of a veth pair, through DPDK's packet socket, and not a tap device. */
    boolean isVeth() {
        return values.get(LINK).equals("veth");
    }

    String congestionControl() {
        return values.get(CONGESTION);
    }

    boolean timestamps() {
        return values.get(TIMESTAMPS).equals("timestamps");
    }

    boolean sack() {
        return values.get(SACK).equals("sack");
    }

    String mtu() {
        return values.get(MTU);
    }

    /** For the setting {@code impair}; empty for none. */
    String impairment() {
        return values.get(IMPAIRMENT).equals("clean") ? "" : values.get(IMPAIRMENT);
    }

    @Override
    public String toString() {
        return String.join("/", values);
    }
}
