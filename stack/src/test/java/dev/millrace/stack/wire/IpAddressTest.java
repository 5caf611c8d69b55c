package dev.millrace.stack.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IpAddressTest {
    private static IpAddress ip(String literal) {
        try {
            return IpAddress.of(InetAddress.getByName(literal).getAddress());
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "198.18.0.1, 198.18.0.1",
        "0:0:0:0:0:0:0:0, ::",
        "0:0:0:0:0:0:0:1, ::1",
        "1:0:0:0:0:0:0:0, 1::",
        "2001:0db8:0:0:0:0:2:1, 2001:db8::2:1",
        "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
        "2001:0:0:1:0:0:0:1, 2001:0:0:1::1",
        "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
        "2001:DB8::ABCD:1, 2001:db8::abcd:1",
        "0:0:1:2:3:4:5:6, ::1:2:3:4:5:6",
        "1:2:3:4:5:6:0:0, 1:2:3:4:5:6::"
    })
    void isWrittenAsRfc5952Wants(String literal, String text) {
        assertEquals(text, ip(literal).toString());
    }

    @Test
    void whatIsWrittenReadsAsTheSameAddress() {
        SplittableRandom random = new SplittableRandom(5952);
        for (int i = 0; i < 2000; i++) {
            long high = 0;
            long low = 0;
            for (int group = 0; group < 4; group++) { // many zero groups
                high = high << 16 | (random.nextBoolean() ? 0 : random.nextInt(65536));
                low = low << 16 | (random.nextBoolean() ? 0 : random.nextInt(65536));
            }
            IpAddress address = new IpAddress(high, low);
            assertEquals(address, ip(address.toString()));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "198.18.0.1, 198.18.0.254, 24, true",
        "198.18.0.1, 198.18.1.1, 24, false",
        "198.18.0.1, 203.0.113.1, 0, true",
        "198.18.0.1, 198.18.0.1, 32, true",
        "198.18.0.1, 198.18.0.0, 32, false",
        "fd00:18::1, fd00:18::ffff:0:0:0, 64, true",
        "fd00:18::1, fd00:18:0:1::1, 64, false",
        "fd00:18::1, fd00:18::1, 128, true",
        "fd00:18::1, fd00:18::2, 128, false",
        "::1, 0.0.0.1, 0, false"
    })
    void prefixesAreComparedWithinAFamily(String a, String b, int bits, boolean shared) {
        assertEquals(shared, ip(a).sharesPrefix(ip(b), bits));
        assertEquals(shared, ip(b).sharesPrefix(ip(a), bits));
    }

    @Test
    void kindsOfAddresses() {
        assertTrue(ip("127.1.2.3").isLoopback());
        assertTrue(ip("::1").isLoopback());
        assertFalse(ip("128.0.0.1").isLoopback());
        assertTrue(ip("239.255.255.255").isMulticast());
        assertFalse(ip("240.0.0.0").isMulticast());
        assertTrue(ip("ff02::1").isMulticast());
        assertTrue(ip("fe80::1").isLinkLocal());
        assertTrue(ip("febf::1").isLinkLocal());
        assertFalse(ip("fec0::1").isLinkLocal());
        assertTrue(ip("169.254.1.1").isLinkLocal());
    }
}
