package dev.millrace.stack.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The vectors are those of Microsoft's "Verifying the RSS hash calculation". */
class ToeplitzHashTest {
    @ParameterizedTest
    @CsvSource({
        "66.9.149.187, 2794, 161.142.100.80, 1766, 51ccc178",
        "199.92.111.2, 14230, 65.69.140.83, 4739, c626b0ea",
        "24.19.198.95, 12898, 12.22.207.184, 38024, 5c2b394a",
        "38.27.205.30, 48228, 209.142.163.6, 2217, afc7327f",
        "153.39.163.191, 44251, 202.188.127.2, 1303, 10e828a2",
        "3ffe:2501:200:1fff::7, 2794, 3ffe:2501:200:3::1, 1766, 40207d3d",
        "3ffe:501:8::260:97ff:fe40:efab, 14230, ff02::1, 4739, dde51bbf",
        "3ffe:1900:4545:3:200:f8ff:fe21:67cf, 44251, fe80::200:f8ff:fe21:67cf, 38024, 02d1feef"
    })
    void matchesTheVerificationVectors(String source, int sourcePort, String destination, int port, String expected) {
        IpAddress from = address(source);
        IpAddress to = address(destination);
        int hash = ToeplitzHash.of(from.high(), from.low(), to.high(), to.low(), sourcePort, port);
        assertEquals(expected, String.format("%08x", hash));
    }

    @Test
    void matchesTheBitByBitDefinition() {
        SplittableRandom random = new SplittableRandom(4711);
        for (int i = 0; i < 1000; i++) {
            long[] words = random.longs(4).toArray();
            int sourcePort = random.nextInt(65536);
            int port = random.nextInt(65536);
            assertEquals(
                    bitByBit(words, sourcePort, port),
                    ToeplitzHash.v6(words[0], words[1], words[2], words[3], sourcePort, port));
        }
    }

    private static int bitByBit(long[] words, int sourcePort, int port) {
        byte[] input = new byte[36];
        for (int i = 0; i < 32; i++) {
            input[i] = (byte) (words[i / 8] >>> (7 - i % 8) * 8);
        }
        input[32] = (byte) (sourcePort >>> 8);
        input[33] = (byte) sourcePort;
        input[34] = (byte) (port >>> 8);
        input[35] = (byte) port;
        byte[] key = ToeplitzHash.key();
        int hash = 0;
        for (int bit = 0; bit < 288; bit++) {
            if ((input[bit / 8] & 0x80 >>> bit % 8) != 0) {
                int window = 0;
                for (int k = bit; k < bit + 32; k++) {
                    window = window << 1 | (key[k / 8] >>> (7 - k % 8) & 1);
                }
                hash ^= window;
            }
        }
        return hash;
    }

    private static IpAddress address(String literal) {
        try {
            return IpAddress.of(InetAddress.getByName(literal).getAddress());
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }
}
