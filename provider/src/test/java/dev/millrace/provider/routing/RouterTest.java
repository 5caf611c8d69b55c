package dev.millrace.provider.routing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.provider.routing.RouteRules.Rule;
import dev.millrace.provider.routing.RouteRules.Verb;
import dev.millrace.stack.core.StackConfig.Interface;
import dev.millrace.stack.wire.IpAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouterTest {
    private static final Interface V4 = new Interface(IpAddress.v4(0xc612_0001), 24); // 198.18.0.1/24
    private static final Interface V6 = new Interface(new IpAddress(0xfd00_0018_0000_0000L, 1), 64); // fd00:18::1/64
    private static final int LISTENING = 8080;

    /** A network with one link, no gateway, and a listener on every loopback address. */
    private static final Reach NETWORK = new Reach() {
        @Override
        public boolean owns(IpAddress address) {
            return address.isLoopback() || address.equals(V4.address()) || address.equals(V6.address());
        }

        @Override
        public boolean routes(IpAddress destination) {
            return V4.contains(destination) || V6.contains(destination);
        }

        @Override
        public boolean listensOn(IpAddress address, int port) {
            return address.isLoopback() && port == LISTENING;
        }

        @Override
        public boolean receivesDatagram(IpAddress local, int port, IpAddress remote, int remotePort) {
            return local.isLoopback() && port == LISTENING;
        }
    };

    private final Router router = new Router(NETWORK, null);

    private static InetSocketAddress at(String address, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(address), port);
    }

    @ParameterizedTest
    @CsvSource({
        "198.18.0.1,STACK",
        "fd00:18::1,STACK",
        "0.0.0.0,BOTH",
        "::,BOTH",
        "127.0.0.1,BOTH",
        "127.9.9.9,BOTH",
        "::1,BOTH",
        "198.18.0.2,KERNEL",
        "203.0.113.1,KERNEL",
    })
    void bindGoesByAddress(String address, Route expected) {
        assertEquals(expected, router.bind(at(address, 80)).route());
    }

    @ParameterizedTest
    @CsvSource({
        "198.18.0.2,80,STACK",
        "198.18.0.1,80,STACK",
        "fd00:18::2,80,STACK",
        "203.0.113.1,80,KERNEL",
        "2001:db8::1,80,KERNEL",
        "127.0.0.1,8080,STACK",
        "127.0.0.1,80,KERNEL",
        "::1,8080,STACK",
        "::1,80,KERNEL",
        "0.0.0.0,8080,STACK",
        "0.0.0.0,80,KERNEL",
    })
    void connectGoesByDestination(String address, int port, Route expected) {
        assertEquals(expected, router.connect(at(address, port), null).route());
    }

    @ParameterizedTest
    @CsvSource({
        "198.18.0.1,203.0.113.1,STACK",
        "192.0.2.1,198.18.0.2,KERNEL",
        "0.0.0.0,198.18.0.2,STACK",
        "0.0.0.0,203.0.113.1,KERNEL",
        "127.0.0.1,127.0.0.1,STACK",
    })
    void anExplicitlyBoundAddressDecidesFirst(String bound, String destination, Route expected) {
        assertEquals(
                expected,
                router.connect(at(destination, LISTENING), at(bound, 0)).route());
    }

    @Test
    void theFirstMatchingRuleDecidesAndTheRestIsTheKernels() {
        RouteRules rules = new RouteRules(
                "r",
                List.of(
                        new Rule(Verb.CONNECT, null, 22, 22, Route.KERNEL, "connect * 22 kernel"),
                        new Rule(Verb.CONNECT, V4, 0, 1023, null, "connect 198.18.0.0/24 0-1023"),
                        new Rule(Verb.BIND, null, 8080, 8080, null, "bind * 8080"),
                        new Rule(Verb.BIND, V4, 8081, 8081, Route.KERNEL, "bind 198.18.0.0/24 8081 kernel")));
        Router ruled = new Router(NETWORK, rules);
        assertEquals(Route.KERNEL, ruled.connect(at("198.18.0.2", 22), null).route());
        Decision decision = ruled.connect(at("198.18.0.2", 80), null);
        assertEquals(Route.STACK, decision.route());
        assertEquals("rule \"connect 198.18.0.0/24 0-1023\" of r", decision.reason());
        assertEquals(Route.KERNEL, ruled.connect(at("198.18.0.2", 1024), null).route());
        assertEquals(Route.KERNEL, ruled.connect(at("fd00:18::2", 80), null).route());
        assertEquals(Route.BOTH, ruled.bind(at("0.0.0.0", 8080)).route());
        assertEquals(Route.STACK, ruled.bind(at("198.18.0.1", 8080)).route());
        assertEquals(Route.KERNEL, ruled.bind(at("198.18.0.1", 8081)).route());
        assertEquals(Route.KERNEL, ruled.bind(at("::", 9)).route());
    }

    @Test
    void anUnresolvedAddressIsTheCallersMistake() {
        assertThrows(
                IllegalArgumentException.class,
                () -> router.connect(InetSocketAddress.createUnresolved("example.com", 80), null));
    }

    @Test
    void theJournalCountsEqualDecisionsAndIsBounded() {
        SocketJournal journal = new SocketJournal();
        for (int port = 1; port <= SocketJournal.LIMIT + 10; port++) {
            InetSocketAddress remote = at("198.18.0.2", port);
            journal.opened("connect", remote, router.connect(remote, null));
            journal.opened("connect", remote, router.connect(remote, null));
        }
        List<String> lines = journal.lines();
        assertEquals(SocketJournal.LIMIT + 1, lines.size());
        assertEquals("connect 198.18.0.2:1 -> stack: 198.18.0.2 is reached through the link (2 times)", lines.get(0));
        assertTrue(lines.getLast().startsWith("20 more, "), lines.getLast());
    }

    @ParameterizedTest
    @CsvSource({
        "::,198.18.0.9,5000,STACK",
        "::,198.18.0.1,5000,STACK",
        "::,fd00:18::9,5000,STACK",
        "::,203.0.113.1,5000,KERNEL",
        "::,127.0.0.1,8080,STACK",
        "::,127.0.0.1,8081,KERNEL",
        "0.0.0.0,127.0.0.1,8080,STACK",
        "127.0.0.1,127.0.0.2,8080,STACK",
        "127.0.0.1,::1,8080,KERNEL",
        "::1,::1,8080,STACK",
        "127.0.0.1,198.18.0.9,5000,KERNEL",
        "::,224.0.0.1,8080,KERNEL",
        "::,ff02::1,8080,KERNEL",
        "::,255.255.255.255,8080,KERNEL",
    })
    void datagramsOfASocketOnBothSidesGoByDestination(String local, String remote, int port, Route expected) {
        assertEquals(
                expected, router.datagram(ip(local), 4000, ip(remote), port).route());
    }

    @ParameterizedTest
    @CsvSource({
        "198.18.0.1,198.18.0.9,true",
        "198.18.0.1,198.18.0.1,true",
        "fd00:18::1,fd00:18::9,true",
        "198.18.0.1,fd00:18::9,false",
        "198.18.0.1,203.0.113.1,false",
        "198.18.0.1,127.0.0.1,false",
        "198.18.0.1,224.0.0.1,false",
        "198.18.0.1,255.255.255.255,false",
    })
    void fromAnAddressOfTheLinkOnlyWhatTheLinkLeadsToIsReached(String local, String remote, boolean expected) {
        assertEquals(expected, router.reachesFromLink(ip(local), ip(remote)));
    }

    @Test
    void aSocketThatWasNeverBoundByNameIsOnBothSides() {
        assertEquals(Route.BOTH, router.bindUnnamed().route());
    }

    private static IpAddress ip(String address) {
        return IpAddress.of(InetAddress.ofLiteral(address).getAddress());
    }
}
