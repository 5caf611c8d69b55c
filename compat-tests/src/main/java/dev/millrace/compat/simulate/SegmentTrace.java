package dev.millrace.compat.simulate;

import java.io.PrintStream;
import java.util.Locale;

/** Prints a line per frame: when, between which stations, what, and what became of it. */
final class SegmentTrace implements WireLog {
    private static final String[] FLAGS = {"F", "S", "R", "P", ".", "U", "E", "W"};

    private final PrintStream out;

    SegmentTrace(PrintStream out) {
        this.out = out;
    }

    @Override
    public void onFrame(long sinceNs, int from, int to, byte[] frame, String fate) {
        out.printf(
                Locale.ROOT,
                "%14.6f %s>%d %s%s%n",
                sinceNs / 1e9,
                from < 0 ? "?" : Integer.toString(from),
                to,
                describe(frame),
                fate.isEmpty() ? "" : "  [" + fate + "]");
    }

    private static String describe(byte[] frame) {
        if (!Frames.isIp(frame)) {
            return String.format("type %04x, %d bytes", Frames.type(frame), frame.length);
        }
        String ends = Frames.source(frame) + " > " + Frames.destination(frame);
        if (!Frames.isTcp(frame)) {
            return ends + " protocol " + Frames.protocol(frame) + ", " + Frames.ipLength(frame) + " bytes";
        }
        int at = Frames.transportAt(frame);
        int header = (frame[at + 12] >>> 4 & 0xf) * 4;
        int length = frame.length - at - header;
        return String.format(
                "%s:%d > %s:%d %s seq %d%s ack %d win %d%s",
                Frames.source(frame),
                Frames.u16(frame, at),
                Frames.destination(frame),
                Frames.u16(frame, at + 2),
                flags(frame[at + 13]),
                Frames.i32(frame, at + 4) & 0xffff_ffffL,
                length > 0 ? "+" + length : "",
                Frames.i32(frame, at + 8) & 0xffff_ffffL,
                Frames.u16(frame, at + 14),
                options(frame, at + 20, Math.min(frame.length, at + header)));
    }

    private static String flags(int flags) {
        StringBuilder text = new StringBuilder();
        for (int bit = 0; bit < FLAGS.length; bit++) {
            if ((flags >>> bit & 1) != 0) {
                text.append(FLAGS[bit]);
            }
        }
        return text.isEmpty() ? "none" : text.toString();
    }

    private static String options(byte[] frame, int from, int end) {
        StringBuilder text = new StringBuilder();
        int at = from;
        while (at + 1 < end && frame[at] != 0) {
            int length = frame[at] == 1 ? 1 : Math.max(2, frame[at + 1]);
            if (at + length > end) {
                return text + " bad options";
            }
            switch (frame[at]) {
                case 2 -> text.append(" mss ").append(Frames.u16(frame, at + 2));
                case 3 -> text.append(" scale ").append(frame[at + 2]);
                case 4 -> text.append(" sackOK");
                case 5 -> {
                    for (int block = at + 2; block + 8 <= at + length; block += 8) {
                        text.append(" sack ")
                                .append(Frames.i32(frame, block) & 0xffff_ffffL)
                                .append('-')
                                .append(Frames.i32(frame, block + 4) & 0xffff_ffffL);
                    }
                }
                case 8 ->
                    text.append(" ts ")
                            .append(Frames.i32(frame, at + 2) & 0xffff_ffffL)
                            .append(' ')
                            .append(Frames.i32(frame, at + 6) & 0xffff_ffffL);
                default -> {
                    // no-operations, and what nobody knows
                }
            }
            at += length;
        }
        return text.toString();
    }
}
