package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.stack.Rule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The vectors are those of the paper's reference implementation: key 00 01 … 0f, message 00 01 … of the given length. */
class SipHashTest {
    @Rule("RFC 9293 MUST-9")
    @ParameterizedTest
    @CsvSource({"0, 726fdb47dd0e0e31", "1, 93f5f5799a932462", "2, 3f2acc7f57c29bdb"})
    void matchesTheReferenceVectorsOfSipHash24(int words, String expected) {
        byte[] bytes = new byte[40];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        ByteBuffer message = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long hash = SipHash.hash(
                message.getLong(0),
                message.getLong(8),
                2,
                4,
                words,
                message.getLong(0),
                message.getLong(8),
                message.getLong(16),
                message.getLong(24),
                message.getLong(32));
        assertEquals(expected, String.format("%016x", hash));
    }
}
