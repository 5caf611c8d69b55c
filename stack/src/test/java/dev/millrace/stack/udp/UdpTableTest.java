package dev.millrace.stack.udp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.memory.ChunkPool;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.wire.IpAddress;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may bind what, and who gets a datagram. */
class UdpTableTest {
    private static final IpAddress ONE = Pair.ip("198.18.0.1");
    private static final IpAddress TWO = Pair.ip("198.18.0.2");
    private static final IpAddress PEER = Pair.ip("198.18.0.9");
    private static final IpAddress SIX = Pair.ip("fd00:18::1");

    private final ChunkPool pool = new ChunkPool(1 << 20);
    private final UdpTable table = new UdpTable(new SplittableRandom(3));

    @AfterEach
    void close() {
        pool.close();
    }

    private UdpSocket bind(IpAddress address, int port, String reuse) throws TcpException {
        UdpOptions options = new UdpOptions();
        options.reuseAddress = reuse.contains("addr");
        options.reusePort = reuse.contains("port");
        UdpDoor[] doors = {socket -> {}};
        return UdpSocket.bind(table, doors, 0, pool, address, port, options, UdpObserver.NONE);
    }

    private @Nullable UdpSocket find(IpAddress local, int port, IpAddress remote, int remotePort) {
        return table.find(local.high(), local.low(), port, remote.high(), remote.low(), remotePort);
    }

    @ParameterizedTest
    @CsvSource({
        "198.18.0.1, none, 198.18.0.1, none, false",
        "198.18.0.1, none, 198.18.0.2, none, true",
        "198.18.0.1, none, 0.0.0.0, none, false",
        "198.18.0.1, none, ::, none, false",
        "198.18.0.1, none, fd00:18::1, none, true",
        "fd00:18::1, none, 0.0.0.0, none, true",
        "fd00:18::1, none, ::, none, false",
        "198.18.0.1, addr, 198.18.0.1, addr, true",
        "198.18.0.1, addr, 198.18.0.1, none, false",
        "198.18.0.1, port, 198.18.0.1, port, true",
        "198.18.0.1, port, 198.18.0.1, addr, false",
        "::, addr, 198.18.0.1, addr, true",
    })
    void twoSocketsShareAPortAsOnLinux(String first, String reuse, String second, String reuse2, boolean allowed)
            throws TcpException {
        bind(Pair.ip(first), 53, reuse);
        if (allowed) {
            assertEquals(53, bind(Pair.ip(second), 53, reuse2).localPort());
        } else {
            TcpException refused = assertThrows(TcpException.class, () -> bind(Pair.ip(second), 53, reuse2));
            assertEquals(TcpError.ADDRESS_IN_USE, refused.error());
        }
    }

    @Test
    @Rule("tcp.md: neighbour-cache flood, TCB-table hash flood, port exhaustion")
    void ephemeralPortsAreUsedUpExactly() throws TcpException {
        Set<Integer> ports = new HashSet<>();
        for (int i = 0; i < 28_232; i++) {
            ports.add(bind(ONE, 0, "none").localPort());
        }
        assertEquals(28_232, ports.size());
        assertTrue(ports.stream().allMatch(port -> port >= 32_768 && port <= 60_999));
        TcpException refused = assertThrows(TcpException.class, () -> bind(ONE, 0, "none"));
        assertEquals(TcpError.ADDRESS_NOT_AVAILABLE, refused.error());
        bind(TWO, 0, "none"); // another address has ports of its own
    }

    @Test
    void theBestFitReceives() throws TcpException {
        UdpSocket any6 = bind(IpAddress.ANY6, 53, "addr");
        assertSame(any6, find(ONE, 53, PEER, 1));
        assertSame(any6, find(SIX, 53, SIX, 1));
        UdpSocket any4 = bind(IpAddress.ANY4, 53, "addr");
        assertSame(any4, find(ONE, 53, PEER, 1));
        assertSame(any6, find(SIX, 53, SIX, 1));
        UdpSocket exact = bind(ONE, 53, "addr");
        assertSame(exact, find(ONE, 53, PEER, 1));
        assertSame(any4, find(TWO, 53, PEER, 1));
        UdpSocket newer = bind(ONE, 53, "addr");
        assertSame(newer, find(ONE, 53, PEER, 1));
        any4.connect(new UdpPeer(ONE, PEER, 1));
        assertSame(any4, find(ONE, 53, PEER, 1));
        assertSame(newer, find(ONE, 53, PEER, 2));
        assertSame(any6, find(TWO, 53, PEER, 1));
        assertNull(find(ONE, 54, PEER, 1));
        newer.close();
        assertSame(exact, find(ONE, 53, PEER, 2));
    }

    @Test
    void aGroupSharesItsPeersAndEachKeepsItsOwn() throws TcpException {
        UdpSocket[] group = {bind(ONE, 53, "port"), bind(ONE, 53, "port"), bind(ONE, 53, "port")};
        int[] shares = new int[3];
        for (int port = 1; port <= 3000; port++) {
            UdpSocket found = find(ONE, 53, PEER, port);
            assertSame(found, find(ONE, 53, PEER, port));
            for (int i = 0; i < 3; i++) {
                shares[i] += found == group[i] ? 1 : 0;
            }
        }
        for (int share : shares) {
            assertTrue(share > 700, "shares " + shares[0] + ", " + shares[1] + ", " + shares[2]);
        }
    }
}
