package dev.millrace.stack.fuzz;

/**
 * What a segment's options mean, read the slow way: RFC 9293 §3.1 and §3.2 for the list and MSS, RFC 7323 for window scale and timestamps,
 * RFC 2018 for SACK. The first of a repeated option counts even if its length is wrong; a length below 2 or past the end ends the list.
 */
final class NaiveOptions {
    private final byte[] segment;
    private final int end;
    private final boolean syn;
    private final boolean[] seen = new boolean[256];
    private int mss = -1;
    private int scale = -1;
    private boolean sackPermitted;
    private String timestamps = "none";
    private String sack = "";

    NaiveOptions(byte[] segment, boolean syn) {
        this.segment = segment;
        this.end = (segment[12] >> 4 & 15) * 4;
        this.syn = syn;
        int at = 20;
        while (at < end && segment[at] != 0) {
            if (segment[at] == 1) {
                at++;
                continue;
            }
            if (at + 1 == end) {
                return;
            }
            int length = segment[at + 1] & 0xff;
            if (length < 2 || at + length > end) {
                return;
            }
            int kind = segment[at] & 0xff;
            if (!seen[kind]) {
                seen[kind] = true;
                read(kind, at, length);
            }
            at += length;
        }
    }

    private void read(int kind, int at, int length) {
        if (kind == 2 && syn && length == 4) {
            mss = Wire.unsignedShort(segment, at + 2);
            mss = mss == 0 ? -1 : mss;
        } else if (kind == 3 && syn && length == 3) {
            scale = Math.min(segment[at + 2] & 0xff, 14);
        } else if (kind == 4 && length == 2) {
            sackPermitted = syn;
        } else if (kind == 5 && length > 2 && (length - 2) % 8 == 0) {
            StringBuilder blocks = new StringBuilder();
            for (int i = at + 2; i < at + length; i += 8) {
                blocks.append(Wire.integer(segment, i))
                        .append('-')
                        .append(Wire.integer(segment, i + 4))
                        .append(' ');
            }
            sack = blocks.toString();
        } else if (kind == 8 && length == 10) {
            timestamps = Wire.integer(segment, at + 2) + "/" + Wire.integer(segment, at + 6);
        }
    }

    static String text(int mss, int scale, boolean sackPermitted, String timestamps, String sack) {
        return "mss " + mss + " scale " + scale + " sackOk " + sackPermitted + " ts " + timestamps + " sack " + sack;
    }

    @Override
    public String toString() {
        return text(mss, scale, sackPermitted, timestamps, sack);
    }
}
