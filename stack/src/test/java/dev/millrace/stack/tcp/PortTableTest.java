package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.wire.IpAddress;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PortTableTest {
    private static final IpAddress A4 = IpAddress.v4(0xc612_0001);
    private static final IpAddress B4 = IpAddress.v4(0xc612_0002);
    private static final IpAddress A6 = new IpAddress(0xfd00_0018L << 32, 1);

    private final PortTable table = new PortTable(new SplittableRandom(1));

    private static TcpOptions options(boolean reuseAddress, boolean reusePort) {
        TcpOptions options = new TcpOptions();
        options.reuseAddress = reuseAddress;
        options.reusePort = reusePort;
        return options;
    }

    private static IpAddress address(String name) {
        return switch (name) {
            case "a4" -> A4;
            case "b4" -> B4;
            case "a6" -> A6;
            case "any4" -> IpAddress.ANY4;
            default -> IpAddress.ANY6;
        };
    }

    private TcpAcceptor find(IpAddress local, int port) {
        return table.listenerFor(local.high(), local.low(), port, B4.high(), B4.low(), 1);
    }

    private void assertInUse(IpAddress address, int port, TcpOptions options) {
        TcpException refusal = assertThrows(TcpException.class, () -> table.bind(address, port, options));
        assertSame(TcpError.ADDRESS_IN_USE, refusal.error());
    }

    @ParameterizedTest
    @CsvSource({
        "a4,a4,true",
        "a4,b4,false",
        "a4,a6,false",
        "a4,any4,true",
        "a4,any6,true",
        "any4,any4,true",
        "any4,a6,false",
        "any4,any6,true",
        "any6,a6,true",
        "any6,any6,true",
        "a6,a6,true"
    })
    void addressesConflictWhenTheyOverlap(String first, String second, boolean conflict) throws TcpException {
        table.bind(address(first), 80, options(false, false));
        if (conflict) {
            assertInUse(address(second), 80, options(false, false));
        } else {
            table.bind(address(second), 80, options(false, false)).close();
        }
        table.bind(address(second), 81, options(false, false)).close();
    }

    @ParameterizedTest
    @CsvSource({
        "true,false,true,false,true",
        "true,false,false,false,false",
        "false,false,true,false,false",
        "false,true,false,true,true",
        "false,true,false,false,false",
        "true,false,false,true,false",
        "true,true,true,true,true"
    })
    void sharingNeedsTheSameOptionOnBothSides(
            boolean firstAddress, boolean firstPort, boolean secondAddress, boolean secondPort, boolean allowed)
            throws TcpException {
        table.bind(A4, 80, options(firstAddress, firstPort));
        if (allowed) {
            table.bind(A4, 80, options(secondAddress, secondPort));
        } else {
            assertInUse(A4, 80, options(secondAddress, secondPort));
        }
    }

    @Test
    void reuseAddressDoesNotShareWithAListener() throws TcpException {
        TcpAcceptor listener = new NamedAcceptor("first");
        LocalBinding first = table.bind(A4, 80, options(true, false));
        LocalBinding second = table.bind(A4, 80, options(true, false));
        table.listen(first, listener);
        TcpException refusal = assertThrows(TcpException.class, () -> table.listen(second, new NamedAcceptor("b")));
        assertSame(TcpError.ADDRESS_IN_USE, refusal.error());
        assertInUse(A4, 80, options(true, false));
        assertInUse(IpAddress.ANY6, 80, options(true, false));
        table.release(first);
        table.listen(second, new NamedAcceptor("second"));
    }

    @Test
    void theMostSpecificListenerIsFound() throws TcpException {
        TcpOptions shared = options(false, true);
        TcpAcceptor any6 = new NamedAcceptor("any6");
        TcpAcceptor any4 = new NamedAcceptor("any4");
        TcpAcceptor exact = new NamedAcceptor("exact");
        table.listen(table.bind(IpAddress.ANY6, 80, shared), any6);
        assertSame(any6, find(A4, 80), "dual stack");
        assertSame(any6, find(A6, 80));
        LocalBinding binding4 = table.bind(IpAddress.ANY4, 80, shared);
        table.listen(binding4, any4);
        assertSame(any4, find(A4, 80));
        assertSame(any6, find(A6, 80));
        LocalBinding bindingExact = table.bind(A4, 80, shared);
        table.listen(bindingExact, exact);
        assertSame(exact, find(A4, 80));
        assertSame(any4, find(B4, 80));
        table.release(bindingExact);
        assertSame(any4, find(A4, 80));
        table.release(binding4);
        assertSame(any6, find(A4, 80));
        assertNull(find(A4, 81));
    }

    @Test
    void anIpv4WildcardListenerHearsNoIpv6() throws TcpException {
        table.listen(table.bind(IpAddress.ANY4, 80, options(false, false)), new NamedAcceptor("any4"));
        assertNull(find(A6, 80));
        assertTrue(table.listensOn(A4, 80));
        assertFalse(table.listensOn(A6, 80));
    }

    @Test
    void listenersWithReusePortShareThePeers() throws TcpException {
        Set<TcpAcceptor> listeners = new HashSet<>();
        for (int i = 0; i < 4; i++) {
            TcpAcceptor listener = new NamedAcceptor("listener " + i);
            listeners.add(listener);
            table.listen(table.bind(A4, 80, options(false, true)), listener);
        }
        int[] hits = new int[1];
        Set<TcpAcceptor> seen = new HashSet<>();
        for (int port = 1; port < 2_000; port++) {
            TcpAcceptor listener = table.listenerFor(A4.high(), A4.low(), 80, B4.high(), B4.low(), port);
            assertSame(listener, table.listenerFor(A4.high(), A4.low(), 80, B4.high(), B4.low(), port));
            seen.add(listener);
            hits[0] += ((NamedAcceptor) listener).name().endsWith("0") ? 1 : 0;
        }
        assertEquals(listeners, seen);
        assertTrue(hits[0] > 300 && hits[0] < 700, "uneven: " + hits[0]);
    }

    @Test
    void aClosedBindingIsFreeAgain() throws TcpException {
        LocalBinding binding = table.bind(A4, 80, options(false, false));
        assertTrue(table.isReserved(80));
        binding.close();
        binding.close();
        assertFalse(table.isReserved(80));
        table.bind(IpAddress.ANY6, 80, options(false, false));
    }

    @Test
    void closingABindingThatWasTakenOverChangesNothing() throws TcpException {
        LocalBinding binding = table.bind(A4, 80, options(false, false));
        TcpAcceptor listener = new NamedAcceptor("listener");
        table.listen(binding, listener);
        binding.close();
        assertSame(listener, find(A4, 80));
        table.release(binding);
        table.release(binding);
        assertNull(find(A4, 80));
        assertFalse(table.isReserved(80));
        assertThrows(IllegalStateException.class, () -> table.takeOver(binding));
    }

    @Test
    void aBindingIsTakenOverOnce() throws TcpException {
        LocalBinding binding = table.bind(A4, 80, options(false, false));
        table.takeOver(binding);
        assertThrows(IllegalStateException.class, () -> table.listen(binding, new NamedAcceptor("late")));
    }

    @Rule("tcp.md: neighbour-cache flood, TCB-table hash flood, port exhaustion")
    @Test
    void portZeroChoosesFromTheEphemeralRangeUntilItIsExhausted() throws TcpException {
        Set<Integer> free = Set.of(PortTable.FIRST_EPHEMERAL, 40_001, 40_002, PortTable.LAST_EPHEMERAL);
        for (int port = PortTable.FIRST_EPHEMERAL; port <= PortTable.LAST_EPHEMERAL; port++) {
            if (!free.contains(port)) {
                table.bind(A4, port, options(true, false));
            }
        }
        Set<Integer> chosen = new HashSet<>();
        for (int i = 0; i < free.size(); i++) {
            int port = table.bind(A4, 0, options(true, false)).port();
            assertEquals(i < 2, port % 2 == 1, "odd ones first");
            chosen.add(port);
        }
        assertEquals(free, chosen);
        assertInUse(A4, 0, options(true, false));
        table.bind(B4, 0, options(false, false)); // another address: nothing overlaps
    }

    @Test
    void activeOpensTakePortsNobodyHasBound() throws TcpException {
        EphemeralPorts ports = new EphemeralPorts(table, new SplittableRandom(2));
        LocalBinding bound = table.bind(IpAddress.ANY6, PortTable.FIRST_EPHEMERAL, options(false, false));
        Set<Integer> seen = new HashSet<>();
        while (true) {
            int port = ports.choose(A4.high(), A4.low(), B4.high(), B4.low(), 80, p -> !seen.contains(p));
            if (port == 0) {
                break;
            }
            assertTrue(port >= PortTable.FIRST_EPHEMERAL && port <= PortTable.LAST_EPHEMERAL);
            assertTrue(seen.add(port));
        }
        assertEquals(PortTable.EPHEMERAL_PORTS - 1, seen.size());
        assertFalse(seen.contains(bound.port()));
    }

    @Test
    void aPortComesBackAsLateAsPossible() {
        EphemeralPorts ports = new EphemeralPorts(table, new SplittableRandom(2));
        Set<Integer> seen = new HashSet<>();
        for (int i = 0; i < PortTable.EPHEMERAL_PORTS / 2; i++) {
            assertTrue(seen.add(ports.choose(A4.high(), A4.low(), B4.high(), B4.low(), 80, PortChooser.ANY)));
        }
    }

    @Rule("tcp.md: Handshake")
    @Test
    void destinationsBeginAtUnrelatedPorts() {
        EphemeralPorts ports = new EphemeralPorts(table, new SplittableRandom(2));
        int adjacent = 0;
        int last = 0;
        for (int destination = 1; destination <= 200; destination++) {
            int port = ports.choose(A4.high(), A4.low(), B4.high(), B4.low(), destination, PortChooser.ANY);
            adjacent += Math.abs(port - last) <= 4 ? 1 : 0;
            last = port;
        }
        assertTrue(adjacent < 5, "predictable: " + adjacent);
    }

    /** An acceptor that only has a name: the table never calls it. */
    private record NamedAcceptor(String name) implements TcpAcceptor {
        @Override
        public TcpSocket accept() {
            throw new AssertionError("the table accepts nothing");
        }

        @Override
        public boolean hasPending() {
            return false;
        }

        @Override
        public void close() {
            throw new AssertionError("the table closes nothing");
        }

        @Override
        public void backlog(int backlog) {
            throw new AssertionError("the table sets no backlog");
        }

        @Override
        public TcpOptions options() {
            return new TcpOptions();
        }

        @Override
        public void observer(TcpObserver observer) {
            throw new AssertionError("the table observes nothing");
        }

        @Override
        public IpAddress localAddress() {
            return IpAddress.ANY6;
        }

        @Override
        public int localPort() {
            return 0;
        }
    }
}
