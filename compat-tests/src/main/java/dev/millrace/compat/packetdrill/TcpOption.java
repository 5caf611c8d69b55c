package dev.millrace.compat.packetdrill;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/** A TCP option: its kind and what follows the length octet. Immutable by convention: nobody writes into {@code body}. */
@SuppressWarnings("ArrayRecordComponent") // compared through text()
record TcpOption(int kind, byte[] body) {
    static final int EOL = 0;
    static final int NOP = 1;
    static final int MSS = 2;
    static final int WINDOW_SCALE = 3;
    static final int SACK_PERMITTED = 4;
    static final int SACK = 5;
    static final int TIMESTAMPS = 8;
    static final int FAST_OPEN = 34;
    static final int EXPERIMENTAL = 254;
    /** First two octets of an experimental option that is Fast Open's (RFC 7413 appendix A). */
    static final int FAST_OPEN_MAGIC = 0xf989;

    /** Body of a Fast Open option, of either kind, whose cookie is whatever the stack gives out, {@code TFO_COOKIE}; compared by identity. */
    static final byte[] STACK_COOKIE = {};

    @SuppressWarnings({"ArrayEquals", "ReferenceEquality"}) // the constant's identity is meant
    boolean isStackCookie() {
        return body == STACK_COOKIE;
    }

    /** What a Fast Open option of either kind has as cookie; null for any other option. */
    @SuppressWarnings("ReturnsNullCollection")
    byte @Nullable [] cookie() {
        if (kind == EXPERIMENTAL) {
            boolean fastOpen = body.length >= 2 && ((body[0] & 0xff) << 8 | body[1] & 0xff) == FAST_OPEN_MAGIC;
            return fastOpen ? Arrays.copyOfRange(body, 2, body.length) : null;
        }
        return kind == FAST_OPEN ? body : null;
    }

    /** As this Fast Open option is on the wire, with that cookie. */
    TcpOption withCookie(byte[] cookie) {
        if (kind != EXPERIMENTAL) {
            return new TcpOption(kind, cookie);
        }
        byte[] whole = new byte[cookie.length + 2];
        whole[0] = (byte) (FAST_OPEN_MAGIC >>> 8);
        whole[1] = (byte) FAST_OPEN_MAGIC;
        System.arraycopy(cookie, 0, whole, 2, cookie.length);
        return new TcpOption(kind, whole);
    }

    /** With each 32-bit word of the body changed. */
    TcpOption withWords(IntUnaryOperator change) {
        byte[] changed = body.clone();
        for (int i = 0; i < body.length / 4; i++) {
            putWord(changed, i * 4, change.applyAsInt(word(i)));
        }
        return new TcpOption(kind, changed);
    }

    /** {@code TS val ... ecr N}: of a timestamps option only the echo, which is all of the body, is looked at. */
    boolean isAnyTimestamp() {
        return kind == TIMESTAMPS && body.length == 4;
    }

    static TcpOption of(int kind, int... octets) {
        byte[] body = new byte[octets.length];
        for (int i = 0; i < octets.length; i++) {
            body[i] = (byte) octets[i];
        }
        return new TcpOption(kind, body);
    }

    static TcpOption words(int kind, int... words) {
        byte[] body = new byte[words.length * 4];
        for (int i = 0; i < words.length; i++) {
            putWord(body, i * 4, words[i]);
        }
        return new TcpOption(kind, body);
    }

    static void putWord(byte[] body, int at, int word) {
        body[at] = (byte) (word >>> 24);
        body[at + 1] = (byte) (word >>> 16);
        body[at + 2] = (byte) (word >>> 8);
        body[at + 3] = (byte) word;
    }

    int word(int index) {
        int at = index * 4;
        return (body[at] & 0xff) << 24 | (body[at + 1] & 0xff) << 16 | (body[at + 2] & 0xff) << 8 | body[at + 3] & 0xff;
    }

    /** Bytes on the wire. */
    int bytes() {
        return kind == EOL || kind == NOP ? 1 : body.length + 2;
    }

    /** Reads options as they stand on the wire; what follows a malformed one is left out. */
    static List<TcpOption> parse(byte[] wire, int from, int to) {
        List<TcpOption> options = new ArrayList<>();
        int at = from;
        while (at < to) {
            int kind = wire[at] & 0xff;
            if (kind == EOL || kind == NOP) {
                options.add(of(kind));
                at++;
                continue;
            }
            int length = at + 1 < to ? wire[at + 1] & 0xff : 0;
            if (length < 2 || at + length > to) {
                break;
            }
            options.add(new TcpOption(kind, Arrays.copyOfRange(wire, at + 2, at + length)));
            at += length;
        }
        return options;
    }

    /** As a script writes it. */
    String text() {
        return switch (kind) {
            case EOL -> "eol";
            case NOP -> "nop";
            case MSS -> "mss " + ((body[0] & 0xff) << 8 | body[1] & 0xff);
            case WINDOW_SCALE -> "wscale " + (body[0] & 0xff);
            case SACK_PERMITTED -> "sackOK";
            case SACK -> sackText();
            case TIMESTAMPS ->
                isAnyTimestamp()
                        ? "TS val ... ecr " + Integer.toUnsignedString(word(0))
                        : "TS val " + Integer.toUnsignedString(word(0)) + " ecr " + Integer.toUnsignedString(word(1));
            case FAST_OPEN ->
                isStackCookie() ? "FO TFO_COOKIE" : "FO " + HexFormat.of().formatHex(body);
            case EXPERIMENTAL ->
                isStackCookie()
                        ? "FOEXP TFO_COOKIE"
                        : "FOEXP " + HexFormat.of().formatHex(body, Math.min(2, body.length), body.length);
            default -> "option " + kind + " " + HexFormat.of().formatHex(body);
        };
    }

    private String sackText() {
        StringBuilder text = new StringBuilder("sack");
        for (int i = 0; i + 1 < body.length / 4; i += 2) {
            text.append(' ').append(Integer.toUnsignedString(word(i))).append(':');
            text.append(Integer.toUnsignedString(word(i + 1)));
        }
        return text.toString();
    }
}
