package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.wire.IpAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FlowTableTest {
    private static final IpAddress SERVER = IpAddress.v4(0xc612_0001);
    private static final IpAddress CLIENT = IpAddress.v4(0xc612_0002);

    private static final class Entry extends Flow {
        Entry(IpAddress local, int localPort, IpAddress remote, int remotePort) {
            super(local.high(), local.low(), localPort, remote.high(), remote.low(), remotePort);
        }
    }

    private record Tuple(IpAddress local, int localPort, IpAddress remote, int remotePort) {
        Entry flow() {
            return new Entry(local, localPort, remote, remotePort);
        }
    }

    private static Flow lookup(FlowTable table, Tuple tuple) {
        return table.lookup(
                tuple.local.high(),
                tuple.local.low(),
                tuple.localPort,
                tuple.remote.high(),
                tuple.remote.low(),
                tuple.remotePort);
    }

    @Test
    void everyFieldOfTheTupleTellsFlowsApart() {
        FlowTable table = new FlowTable(100, new SplittableRandom(1));
        Tuple[] tuples = {
            new Tuple(SERVER, 80, CLIENT, 1000),
            new Tuple(CLIENT, 80, SERVER, 1000),
            new Tuple(SERVER, 1000, CLIENT, 80),
            new Tuple(SERVER, 81, CLIENT, 1000),
            new Tuple(SERVER, 80, CLIENT, 1001),
            new Tuple(SERVER, 80, new IpAddress(1, CLIENT.low()), 1000),
            new Tuple(new IpAddress(1, SERVER.low()), 80, CLIENT, 1000),
            new Tuple(new IpAddress(0, SERVER.v4Bits()), 80, new IpAddress(0, CLIENT.v4Bits()), 1000),
        };
        Flow[] flows = new Flow[tuples.length];
        for (int i = 0; i < tuples.length; i++) {
            flows[i] = tuples[i].flow();
            assertTrue(table.insert(flows[i]));
        }
        for (int i = 0; i < tuples.length; i++) {
            assertSame(flows[i], lookup(table, tuples[i]));
        }
    }

    @Test
    void aTakenTupleIsRefused() {
        FlowTable table = new FlowTable(100, new SplittableRandom(1));
        Tuple tuple = new Tuple(SERVER, 80, CLIENT, 1000);
        Entry first = tuple.flow();
        assertTrue(table.insert(first));
        assertFalse(table.insert(tuple.flow()));
        assertSame(first, lookup(table, tuple));
        assertEquals(1, table.size());
    }

    @Rule("tcp.md: neighbour-cache flood, TCB-table hash flood, port exhaustion")
    @Test
    void beyondTheLimitFlowsAreRefused() {
        FlowTable table = new FlowTable(3, 1, 2, new SplittableRandom(1));
        for (int port = 1; port <= 3; port++) {
            assertTrue(table.insert(new Tuple(SERVER, 80, CLIENT, port).flow()));
        }
        assertFalse(table.insert(new Tuple(SERVER, 80, CLIENT, 4).flow()));
        assertTrue(table.remove(lookup(table, new Tuple(SERVER, 80, CLIENT, 2))));
        assertTrue(table.insert(new Tuple(SERVER, 80, CLIENT, 4).flow()));
    }

    @Test
    void removingAnotherFlowOfTheSameTupleChangesNothing() {
        FlowTable table = new FlowTable(10, new SplittableRandom(1));
        Tuple tuple = new Tuple(SERVER, 80, CLIENT, 1000);
        Entry flow = tuple.flow();
        table.insert(flow);
        assertFalse(table.remove(tuple.flow()));
        assertSame(flow, lookup(table, tuple));
    }

    @Test
    void aReplacementTakesTheTuple() {
        FlowTable table = new FlowTable(10, new SplittableRandom(1));
        Tuple tuple = new Tuple(SERVER, 80, CLIENT, 1000);
        Entry old = tuple.flow();
        Entry next = tuple.flow();
        table.insert(old);
        table.replace(old, next);
        assertSame(next, lookup(table, tuple));
        assertEquals(1, table.size());
        assertFalse(table.remove(old));
        assertTrue(table.remove(next));
        assertNull(lookup(table, tuple));
    }

    /** Peers choose how many flows there are, so growing must not cost all of them at once. */
    @Test
    @Rule("tcp.md: TCB-table hash flood")
    void growingMovesASmallPartOfTheFlowsAtATime() {
        FlowTable table = new FlowTable(1 << 20, new SplittableRandom(1));
        for (int i = 0; i < 200_000; i++) {
            assertTrue(table.insert(new Tuple(SERVER, 80, IpAddress.v4(i), 1000).flow()));
        }
        assertTrue(table.largestStep() <= 1024, "slots moved at once: " + table.largestStep());
    }

    /** Whoever does not know the key cannot fill one partition, whatever pattern of addresses and ports he tries. */
    @Test
    @Rule("tcp.md: TCB-table hash flood")
    void patternsOfTuplesSpreadEvenly() {
        for (int stride : new int[] {1, 256, 65_536, 0x0101_0101}) {
            FlowTable table = new FlowTable(1 << 20, new SplittableRandom(stride));
            for (int i = 0; i < 50_000; i++) {
                table.insert(new Tuple(SERVER, 80, IpAddress.v4(i * stride), 1000 + i % 7).flow());
            }
            assertTrue(table.largestStep() <= 256, "stride " + stride + ": " + table.largestStep());
        }
    }

    /** Whoever has searched for tuples that collide, on a stack of his own, has found nothing about another's. */
    @Test
    @Rule("tcp.md: TCB-table hash flood")
    void tuplesThatCollideUnderOneKeySpreadUnderAnother() {
        FlowTable searched = new FlowTable(1 << 20, new SplittableRandom(1));
        for (int i = 0; i < 200_000; i++) {
            searched.insert(new Tuple(SERVER, 80, IpAddress.v4(i), 1000).flow());
        }
        List<Flow> neighbours =
                new ArrayList<>(); // in the order of their hashes' upper bits: the first few partitions'
        searched.forEach(flow -> {
            if (neighbours.size() < 1_000) {
                neighbours.add(flow);
            }
        });
        assertTrue(largestStep(1, neighbours) >= 256, "the same key: " + largestStep(1, neighbours));
        assertTrue(largestStep(2, neighbours) <= 32, "another key: " + largestStep(2, neighbours));
    }

    private static int largestStep(long key, List<Flow> flows) {
        FlowTable table = new FlowTable(1 << 20, new SplittableRandom(key));
        flows.forEach(flow -> assertTrue(table.insert(
                new Tuple(SERVER, 80, new IpAddress(flow.remoteHigh, flow.remoteLow), flow.remotePort).flow())));
        return table.largestStep();
    }

    @Test
    void aWalkMeetsEachFlowThatIsThereOnce() {
        SplittableRandom random = new SplittableRandom(5);
        FlowTable table = new FlowTable(1 << 20, random);
        List<Flow> there = new ArrayList<>();
        for (int step = 0; step < 6_000; step++) {
            boolean fills = step < 2_000 || step >= 4_000 && random.nextInt(20) > 0;
            if (fills) {
                Flow flow = new Tuple(SERVER, 80, IpAddress.v4(step), 1000).flow();
                assertTrue(table.insert(flow));
                there.add(flow);
            } else {
                assertTrue(table.remove(there.remove(random.nextInt(there.size()))));
            }
            if (step % 100 == 0 || there.size() < 20) {
                Set<Flow> met = Collections.newSetFromMap(new IdentityHashMap<>());
                table.forEach(flow -> assertTrue(met.add(flow), "met twice"));
                assertEquals(there.size(), met.size());
                assertTrue(met.containsAll(there));
            }
        }
    }

    /** A key of zeros and four slots to begin with: long probe runs, wrapped around the end, are the rule. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void agreesWithAHashMap(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        RandomGenerator keys = new SplittableRandom(seed);
        FlowTable table = new FlowTable(5_000, 1, 4, keys);
        Map<Tuple, Flow> model = new HashMap<>();
        List<Tuple> tuples = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            IpAddress remote = random.nextBoolean() ? CLIENT : new IpAddress(0x2001_0db8L << 32, random.nextInt(50));
            IpAddress local = remote.isV4() ? SERVER : new IpAddress(0x2001_0db8L << 32, 77);
            tuples.add(new Tuple(local, random.nextInt(3), remote, random.nextInt(500)));
        }
        for (int step = 0; step < 100_000; step++) {
            Tuple tuple = tuples.get(random.nextInt(step < 50_000 ? tuples.size() : 20));
            Flow known = model.get(tuple);
            assertSame(known, lookup(table, tuple), "seed " + seed + " step " + step);
            if (random.nextInt(10) < 6) {
                Entry flow = tuple.flow();
                assertEquals(known == null, table.insert(flow), "seed " + seed + " step " + step);
                model.putIfAbsent(tuple, flow);
            } else if (known != null) {
                assertTrue(table.remove(known), "seed " + seed + " step " + step);
                model.remove(tuple);
            }
            assertEquals(model.size(), table.size());
        }
        for (Tuple tuple : tuples) {
            assertSame(model.get(tuple), lookup(table, tuple), "seed " + seed);
        }
        List<Flow> seen = new ArrayList<>();
        table.forEach(seen::add);
        assertEquals(model.size(), seen.size());
    }
}
