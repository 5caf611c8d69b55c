package dev.millrace.compat.app;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The bytes of every download and upload: a function of the offset alone, so that both ends know them without exchanging them, and
 * bytes that are lost, doubled or out of place change the digest. Each aligned group of eight bytes is a mix of its own position.
 */
public final class Content {
    /** Bytes that are generated at a time; a multiple of 8, so that every piece starts on a word. */
    public static final int PIECE_BYTES = 64 * 1024;

    private static final VarHandle WORDS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    /** 2^64 divided by the golden ratio: neighbouring positions give unrelated words (Knuth, TAOCP 6.4). */
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private Content() {}

    /**
     * Writes the content at {@code offset}, a multiple of 8, to the start of {@code target}, at most up to {@code end}.
     *
     * @return the number of valid bytes in {@code target}
     */
    public static int fill(byte[] target, long offset, long end) {
        int length = (int) Math.min(target.length, end - offset);
        int whole = length & ~7;
        for (int i = 0; i < whole; i += 8) {
            WORDS.set(target, i, word(offset + i));
        }
        long last = word(offset + whole);
        for (int i = whole; i < length; i++) {
            target[i] = (byte) (last >>> (8 * (i - whole)));
        }
        return length;
    }

    /** The SHA-256 of the first {@code length} bytes, in lower-case hexadecimal digits. */
    public static String sha256(long length) {
        MessageDigest digest = newDigest();
        byte[] piece = new byte[PIECE_BYTES];
        for (long offset = 0; offset < length; offset += PIECE_BYTES) {
            digest.update(piece, 0, fill(piece, offset, length));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    public static MessageDigest newDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static long word(long offset) {
        long mixed = (offset + 8) * GOLDEN;
        return mixed ^ (mixed >>> 29);
    }
}
