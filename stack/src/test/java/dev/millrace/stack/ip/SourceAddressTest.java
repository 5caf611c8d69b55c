package dev.millrace.stack.ip;

import static dev.millrace.stack.ip.Host.ip;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.millrace.stack.Rule;
import dev.millrace.stack.wire.IpAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** RFC 6724 §5 and RFC 1122 §3.3.4.3. */
@Rule("tcp.md: IPv6")
class SourceAddressTest {
    private static Routes routes(String addresses, String gateways) {
        List<NetworkConfig.InterfaceAddress> own = new ArrayList<>();
        for (String cidr : addresses.split(" ", -1)) {
            String[] parts = cidr.split("/", -1);
            own.add(new NetworkConfig.InterfaceAddress(ip(parts[0]), Integer.parseInt(parts[1])));
        }
        List<IpAddress> via = gateways.isEmpty()
                ? List.of()
                : Arrays.stream(gateways.split(" ", -1)).map(Host::ip).toList();
        OwnAddresses set = new OwnAddresses(own, Host.MAC);
        return new Routes(set, new NetworkConfig(own, via, 0, 1));
    }

    @Rule("RFC 9293 MUST-44")
    @Test
    void theAddressOnTheDestinationsNetworkIsUsed() {
        Routes routes = routes("198.18.0.1/24 198.18.1.1/24", "198.18.1.254");
        assertEquals(ip("198.18.0.1"), routes.sourceFor(ip("198.18.0.9")));
        assertEquals(ip("198.18.1.1"), routes.sourceFor(ip("198.18.1.9")));
        assertEquals(ip("198.18.1.1"), routes.sourceFor(ip("203.0.113.9")), "the gateway's network");
    }

    @Test
    void packetsToOneselfComeFromTheSameAddress() {
        Routes routes = routes("198.18.0.1/24 198.18.1.1/24 fd00:18::1/64", "");
        assertEquals(ip("198.18.1.1"), routes.sourceFor(ip("198.18.1.1")));
        assertEquals(ip("fd00:18::1"), routes.sourceFor(ip("fd00:18::1")));
        assertEquals(ip("127.0.0.1"), routes.sourceFor(ip("127.0.0.5")));
        assertEquals(ip("::1"), routes.sourceFor(ip("::1")));
    }

    @Rule("tcp.md: IPv6")
    @Test
    void theScopeFits() {
        Routes routes = routes("fd00:18::1/64 fe80::7/64", "fe80::1");
        assertEquals(ip("fe80::7"), routes.sourceFor(ip("fe80::9")));
        assertEquals(ip("fd00:18::1"), routes.sourceFor(ip("2001:db8::1")));
    }

    @Test
    void theLabelMatches() {
        Routes routes = routes("fd00:18::1/64 2001:db8::1/64", "fe80::1");
        assertEquals(ip("2001:db8::1"), routes.sourceFor(ip("2001:db8:9::1")));
        assertEquals(ip("fd00:18::1"), routes.sourceFor(ip("fd77::1")));
    }

    @Test
    void theLongestPrefixDecidesTheRest() {
        Routes routes = routes("2001:db8:1::1/48 2001:db8:2::1/48", "fe80::1");
        assertEquals(ip("2001:db8:2::1"), routes.sourceFor(ip("2001:db8:2:9::1")));
        assertEquals(ip("2001:db8:1::1"), routes.sourceFor(ip("2001:db8:1:9::1")));
    }

    @Test
    void withoutARouteThereIsNoSource() {
        Routes routes = routes("198.18.0.1/24", "");
        assertNull(routes.sourceFor(ip("203.0.113.9")));
        assertNull(routes.sourceFor(ip("fd00:18::2")));
        assertNull(routes.sourceFor(ip("224.0.0.1")));
    }

    @Rule("RFC 9293 MUST-46")
    @Test
    void groupsAndBroadcastsAreReachedByNothing() {
        Routes routes = routes("198.18.0.1/24 fd00:18::1/64", "198.18.0.254 fd00:18::fe");
        for (String nobody :
                new String[] {"224.0.0.1", "255.255.255.255", "198.18.0.255", "0.0.0.0", "ff02::1", "::"}) {
            assertNull(routes.nextHop(ip(nobody)), nobody);
            assertNull(routes.sourceFor(ip(nobody)), nobody);
        }
    }

    @Test
    void aGatewayBeyondTheOwnPrefixIsReachedDirectly() {
        Routes routes = routes("203.0.113.7/32", "198.51.100.1");
        assertEquals(ip("198.51.100.1"), routes.nextHop(ip("192.0.2.1")));
        assertEquals(ip("198.51.100.1"), routes.nextHop(ip("198.51.100.1")));
        assertEquals(ip("203.0.113.7"), routes.sourceFor(ip("192.0.2.1")));
    }

    @Test
    void pointToPointNetworksHaveNoBroadcast() {
        Routes routes = routes("198.18.0.0/31", "");
        assertEquals(ip("198.18.0.1"), routes.nextHop(ip("198.18.0.1")));
    }
}
