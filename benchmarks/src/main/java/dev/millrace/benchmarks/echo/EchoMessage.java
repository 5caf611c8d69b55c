package dev.millrace.benchmarks.echo;

import java.nio.ByteBuffer;

/** The message that is echoed: {@value #BYTES} bytes that differ between connections, exchanges and words, so that a mix-up shows. */
final class EchoMessage {
    static final int BYTES = 64;

    private static final int WORDS = BYTES / Long.BYTES;
    private static final long ODD = 0x9e37_79b9_7f4a_7c15L;

    private EchoMessage() {}

    /** Fills {@code buffer} with the message of that connection and exchange, ready to be written. */
    static void fill(ByteBuffer buffer, long connection, long exchange) {
        long word = seed(connection, exchange);
        buffer.clear();
        for (int i = 0; i < WORDS; i++) {
            word *= ODD;
            buffer.putLong(i * Long.BYTES, word);
        }
    }

    /** Whether the first {@value #BYTES} bytes of {@code buffer} are that message. */
    static boolean matches(ByteBuffer buffer, long connection, long exchange) {
        long word = seed(connection, exchange);
        for (int i = 0; i < WORDS; i++) {
            word *= ODD;
            if (buffer.getLong(i * Long.BYTES) != word) {
                return false;
            }
        }
        return true;
    }

    private static long seed(long connection, long exchange) {
        return (connection << 40 ^ exchange) * 2 + 1;
    }
}
