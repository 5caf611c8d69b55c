package dev.millrace.compat.packetdrill;

import dev.millrace.stack.wire.TcpSegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;

/**
 * Compares segments of the stack with one that the script expects. What a script writes as one segment of several MSS, as a kernel hands it to
 * segmentation offload, is matched by as many segments that carry the same bytes in order: all of them with the same acknowledgment and
 * options, FIN on the last, and PSH there only where the script has it. PSH may also be missing in the middle of a long write. One thread.
 */
final class Expectation {
    private final PacketSpec expected;
    private final Flow flow;
    private final Settings settings;
    private int matched;

    Expectation(PacketSpec expected, Flow flow, Settings settings) {
        this.expected = expected;
        this.flow = flow;
        this.settings = settings;
    }

    /**
     * The next segment.
     *
     * @param moreBehind the application has written more than was sent
     * @return whether this was all of it
     * @throws ScriptException the first difference
     */
    boolean take(Segment segment, boolean moreBehind) {
        int left = expected.length() - matched;
        boolean part = segment.length() > 0 && segment.length() < left;
        if (!part) {
            check(segment.length() == left, segment, "payload of " + segment.length() + " bytes");
        }
        boolean finLeftOut = leavesFinOut(segment);
        long sequence = expected.sequence() + matched + (finLeftOut ? 1 : 0);
        boolean anySequence = expected.sequence() == PacketSpec.ANY_SEQUENCE;
        if (segment.has(TcpSegment.SYN) && !flow.offsetKnown()) {
            flow.onSyn(segment.sequence(), anySequence ? 0 : expected.sequence());
        }
        boolean offloaded = part || matched > 0;
        // a kernel pushes whatever it hands to segmentation offload, and of a long write what fills half the peer's
        // window; this stack what ends with the application's bytes
        boolean mayPushLess = offloaded || moreBehind;
        int ignored = mayPushLess ? TcpSegment.PSH : 0;
        int wanted = finLeftOut ? TcpSegment.ACK : expected.flags();
        int flags = wanted & ~(ignored | (part ? TcpSegment.FIN : 0));
        check((segment.flags() & ~ignored) == flags, segment, "flags");
        check(part || pushed(expected) || !pushed(segment), segment, "flags");
        check(
                anySequence
                        || flow.toScript(segment.sequence(), segment.has(TcpSegment.SYN)) == (sequence & 0xffff_ffffL),
                segment,
                "sequence number");
        if (segment.has(TcpSegment.ACK)) {
            check(
                    flow.remoteToScript(segment.acknowledgment(), segment.has(TcpSegment.SYN))
                            == (expected.acknowledgment() & 0xffff_ffffL),
                    segment,
                    "acknowledgment");
        }
        if (expected.window() != PacketSpec.UNSPECIFIED) {
            check(segment.window() == expected.window(), segment, "window");
        }
        check(segment.urgentPointer() == expected.urgentPointer(), segment, "urgent pointer");
        checkEcn(segment);
        if (!expected.anyOptions()) {
            checkOptions(segment);
        }
        if (segment.has(TcpSegment.ACK) && !segment.has(TcpSegment.RST)) {
            flow.onRemoteSynTaken();
        }
        matched += segment.length();
        return !part;
    }

    private static boolean pushed(PacketSpec packet) {
        return packet.has(TcpSegment.PSH);
    }

    private static boolean pushed(Segment segment) {
        return segment.has(TcpSegment.PSH);
    }

    /**
     * FreeBSD repeats a FIN that is not acknowledged with each acknowledgment that it sends; the acknowledgment alone is as good, and the FIN is left
     * to its timer.
     */
    private boolean leavesFinOut(Segment segment) {
        return settings.personality == Personality.FREEBSD
                && expected.flags() == (TcpSegment.FIN | TcpSegment.ACK)
                && expected.length() == 0
                && segment.flags() == TcpSegment.ACK
                && flow.toScript(segment.sequence(), false) == (expected.sequence() + 1 & 0xffff_ffffL);
    }

    private void checkEcn(Segment segment) {
        if (expected.ecn() == PacketSpec.ANY_ECT) {
            check(segment.ecn() == 1 || segment.ecn() == 2, segment, "ECN bits");
        } else if (expected.ecn() != PacketSpec.UNSPECIFIED) {
            check(segment.ecn() == expected.ecn(), segment, "ECN bits");
        }
    }

    private void checkOptions(Segment segment) {
        boolean anyOrder = segment.has(TcpSegment.SYN) && !settings.personality.optionsInOurOrder;
        List<TcpOption> wanted = anyOrder ? inOneOrder(expected.options()) : expected.options();
        List<TcpOption> told = inScript(segment, flow);
        List<TcpOption> actual = anyOrder ? inOneOrder(told) : told;
        check(actual.size() == wanted.size(), segment, "options");
        for (int i = 0; i < actual.size(); i++) {
            TcpOption mine = wanted.get(i);
            TcpOption theirs = actual.get(i);
            byte[] cookie = mine.isStackCookie() && theirs.kind() == mine.kind() ? theirs.cookie() : null;
            if (cookie != null && cookie.length >= 4) {
                settings.stackCookie = cookie;
                continue;
            }
            if (mine.kind() == TcpOption.TIMESTAMPS && theirs.kind() == TcpOption.TIMESTAMPS) {
                checkTimestamps(mine, theirs, segment);
            } else {
                check(mine.text().equals(theirs.text()), segment, "option " + theirs.text());
            }
        }
    }

    /** Without padding. */
    private static List<TcpOption> inOneOrder(List<TcpOption> options) {
        return options.stream()
                .filter(each -> each.kind() != TcpOption.NOP && each.kind() != TcpOption.EOL)
                .sorted(Comparator.comparingInt(TcpOption::kind))
                .toList();
    }

    private void checkTimestamps(TcpOption mine, TcpOption theirs, Segment segment) {
        if (mine.isAnyTimestamp()) {
            check(mine.word(0) == theirs.word(1), segment, "TS ecr");
            return;
        }
        if (settings.timestampTickNs > 0 && flow.hasTimestamps()) {
            long error = Math.abs((long) flow.timestampError(mine.word(0), theirs.word(0)));
            check(
                    error * settings.timestampTickNs <= settings.toleranceNs + settings.timestampTickNs,
                    segment,
                    "TS val, " + error + " ticks off,");
        }
        flow.onTimestamp(mine.word(0), theirs.word(0));
        check(mine.word(1) == theirs.word(1), segment, "TS ecr");
    }

    private void check(boolean holds, Segment segment, String what) {
        if (!holds) {
            throw new ScriptException(
                    "wrong " + what + "; expected " + text(expected) + ", the stack sent " + text(segment, flow));
        }
    }

    // ---- as a script writes it ----

    static String text(PacketSpec packet) {
        return text(
                packet.ecn(),
                packet.flags(),
                packet.sequence(),
                packet.length(),
                packet.acknowledgment(),
                packet.window(),
                packet.urgentPointer(),
                packet.anyOptions() ? "..." : options(packet.options()));
    }

    static String text(Segment segment, Flow flow) {
        return text(
                segment.ecn() == 0 ? PacketSpec.UNSPECIFIED : segment.ecn(),
                segment.flags(),
                flow.toScript(segment.sequence(), segment.has(TcpSegment.SYN)),
                segment.length(),
                flow.remoteToScript(segment.acknowledgment(), segment.has(TcpSegment.SYN)),
                segment.window(),
                segment.urgentPointer(),
                options(inScript(segment, flow)));
    }

    /** A segment's options with SACK blocks as a script has them. */
    private static List<TcpOption> inScript(Segment segment, Flow flow) {
        return segment.options().stream()
                .map(each -> each.kind() == TcpOption.SACK
                        ? each.withWords(word -> (int) flow.remoteToScript(word, false))
                        : each)
                .toList();
    }

    private static String options(List<TcpOption> options) {
        List<String> texts = new ArrayList<>();
        for (TcpOption option : options) {
            texts.add(option.text());
        }
        return String.join(",", texts);
    }

    private static String text(
            int ecn, int flags, long sequence, int length, long ack, int window, int urgent, String options) {
        StringBuilder text = new StringBuilder();
        if (ecn != PacketSpec.UNSPECIFIED) {
            text.append(
                    switch (ecn) {
                        case 0 -> "[noecn] ";
                        case 1 -> "[ect1] ";
                        case 2 -> "[ect0] ";
                        case 3 -> "[ce] ";
                        default -> "[ect] ";
                    });
        }
        text.append(flagLetters(flags)).append(' ').append(sequence).append(':').append(sequence + length);
        text.append('(').append(length).append(')');
        if ((flags & TcpSegment.ACK) != 0) {
            text.append(" ack ").append(ack);
        }
        if (window != PacketSpec.UNSPECIFIED) {
            text.append(" win ").append(window);
        }
        if (urgent != 0) {
            text.append(" urg ").append(urgent);
        }
        return options.isEmpty()
                ? text.toString()
                : text.append(" <").append(options).append('>').toString();
    }

    private static String flagLetters(int flags) {
        String letters = "FSRP.UEW";
        StringBuilder text = new StringBuilder();
        for (int i : new int[] {1, 0, 2, 3, 5, 6, 7, 4}) {
            if ((flags & 1 << i) != 0) {
                text.append(letters.charAt(i));
            }
        }
        int unknown = flags & ~0xff;
        return unknown == 0 ? text.toString() : text + "+0x" + HexFormat.of().toHexDigits(unknown, 3);
    }
}
