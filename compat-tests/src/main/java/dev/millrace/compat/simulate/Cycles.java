package dev.millrace.compat.simulate;

import dev.millrace.stack.tcp.CongestionAlgorithm;
import dev.millrace.stack.tcp.EcnMode;
import dev.millrace.stack.tcp.FastOpenMode;
import dev.millrace.stack.tcp.MtuProbing;
import dev.millrace.stack.tcp.SynCookieMode;
import dev.millrace.stack.tcp.TcpOptions;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One world in which connections are opened, used once and closed, over and over, under weather that never ends: loss, reordering, cuts,
 * pauses, and a client that crashes. What it is for is what may grow: at the end every pool is as full as at the beginning, and the heap, after
 * a collection, as small after all cycles as after a tenth of them. One thread.
 */
public final class Cycles implements Conversations {
    private static final long MS = 1_000_000L;
    private static final long SECOND = 1_000 * MS;

    /** Connections at a time. */
    private static final int SLOTS = 96;

    /** Between the end of a cycle and the beginning of the next of its slot. */
    private static final long REST_NS = 300 * MS;

    /** No cycle takes longer: retransmissions of the longest back-off have been given up by then (R2, RFC 9293 §3.8.3). */
    private static final long MAX_AGE_NS = 1_100 * SECOND;

    /** Between two turns of the weather. */
    private static final long CALM_NS = 3 * SECOND;

    private static final int SERVER = 0;
    private static final int CRASHING = 2;
    private static final int CLIENTS = 2;
    private static final int CHECK_EACH = 1 << 12;
    private static final double HEAP_GROWTH = 1.1;
    /** The serial collector leaves some garbage where it lies in all full collections but each fourth (MarkSweepAlwaysCompactCount). */
    private static final int COLLECTIONS = 4;

    private static final long HEAP_SLACK = 2 << 20;

    private final long count;
    private final PrintStream out;
    private final SplittableRandom random;
    private final World world;
    /** Of those that are open, by number. */
    private final Map<Integer, Slot> open = new HashMap<>();

    private final List<Slot> slots = new ArrayList<>();
    private int nextNumber;
    private long ended;
    private long interrupted;

    /** One place in which one cycle follows another. */
    private static final class Slot {
        @Nullable
        Talk talk;

        @Nullable
        Party client;

        @Nullable
        Party server;
    }

    /**
     * @param count cycles
     * @param out told how far it is
     */
    public Cycles(long seed, long count, PrintStream out) {
        this.count = count;
        this.out = out;
        this.random = new SplittableRandom(seed);
        long startNs = SECOND * (1 + random.nextInt(1_000_000));
        List<HostPlan> hosts = List.of(
                host(CongestionAlgorithm.CUBIC), host(CongestionAlgorithm.DCTCP), host(CongestionAlgorithm.BBR));
        List<Long> delays = List.of(MS, 5 * MS, MS / 10, MS);
        WorldPlan plan = new WorldPlan(hosts, List.of(), List.of(), delays, 0, 0, List.of(), 0, 0, 0);
        this.world = new World(plan, this, random.split(), startNs, null);
    }

    private static HostPlan host(CongestionAlgorithm congestion) {
        List<HostPlan.Listener> listeners = new ArrayList<>();
        for (int i = 0; i < HostPlan.LISTENERS; i++) {
            listeners.add(new HostPlan.Listener(2 * SLOTS, options()));
        }
        TcpPlan tcp = new TcpPlan(
                congestion,
                EcnMode.ON,
                FastOpenMode.ON,
                MtuProbing.BLACKHOLE,
                false,
                SynCookieMode.ON_OVERFLOW,
                TcpPlan.MANY,
                TcpPlan.UNLIMITED);
        return new HostPlan(
                1, 1500, 2048, Integer.MAX_VALUE, 16_000, 0, listeners, 64L << 20, 128 << 10, 4 << 20, 200 * MS, tcp);
    }

    /** With keepalive: a side that waits would not learn that the other has crashed, or aborted with a reset that was lost. */
    private static TcpOptions options() {
        TcpOptions options = new TcpOptions();
        options.keepAlive = true;
        options.keepIdleSeconds = 10;
        options.keepIntervalSeconds = 2;
        options.keepCount = 5;
        return options;
    }

    /** Goes through all cycles; false when something has grown. Throws whatever breaks. */
    public boolean run() {
        try (world) {
            for (int i = 0; i < SLOTS; i++) {
                Slot slot = new Slot();
                slots.add(slot);
                world.events.at(world.nowNs() + random.nextLong(REST_NS), () -> begin(slot));
            }
            weather();
            long tenth = until(Math.max(1, count / 10));
            for (int i = 2; i < 10; i++) {
                until(count / 10 * i);
            }
            long whole = until(count);
            world.runUntil(world.nowNs() + MAX_AGE_NS, open::isEmpty);
            failIfOld();
            world.end();
            boolean steady = whole <= tenth * HEAP_GROWTH + HEAP_SLACK;
            out.println(world.tally.report(1));
            out.printf(
                    Locale.ROOT,
                    "%d cycles in %.0f virtual seconds: %d complete, %d ended otherwise, %d lost in crashes; pools as at the"
                            + " beginning, heap %.1f MiB after a tenth, %.1f MiB after all: %s%n",
                    ended,
                    world.tally.virtualNs / 1e9,
                    world.tally.completed,
                    ended - world.tally.completed - interrupted,
                    interrupted,
                    mebibytes(tenth),
                    mebibytes(whole),
                    steady ? "steady" : "it grows");
            return steady;
        }
    }

    /** Bytes of heap in use when so many have ended. */
    private long until(long cycles) {
        world.runUntil(Long.MAX_VALUE, () -> ended >= cycles);
        failIfOld();
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
        }
        Runtime runtime = Runtime.getRuntime();
        long bytes = runtime.totalMemory() - runtime.freeMemory();
        out.printf(
                Locale.ROOT,
                "%d cycles, %.0f virtual seconds, heap %.1f MiB%n",
                ended,
                (world.nowNs() - world.startNs) / 1e9,
                mebibytes(bytes));
        return bytes;
    }

    private void failIfOld() {
        for (Slot slot : slots) {
            Talk talk = slot.talk;
            if (talk != null && world.nowNs() - talk.startNs >= MAX_AGE_NS) {
                world.fail("no end of " + talk + "\n  " + slot.client + "\n  " + slot.server + world.flows());
            }
        }
    }

    private static double mebibytes(long bytes) {
        return bytes / (double) (1 << 20);
    }

    // ---- cycles ----

    private void begin(Slot slot) {
        if (ended >= count) {
            return;
        }
        Talk talk = new Talk(
                nextNumber++,
                1 + random.nextInt(CLIENTS),
                SERVER,
                random.nextBoolean(),
                HostPlan.FIRST_PORT + random.nextInt(HostPlan.LISTENERS),
                world.nowNs(),
                1,
                1 + random.nextInt(1 << random.nextInt(14)),
                random.nextInt(1 << random.nextInt(14)),
                random.nextInt(4) == 0);
        talk.excuse("weather");
        for (Talk.Manner manner : List.of(talk.client, talk.server)) {
            manner.end = Talk.End.values()[random.nextInt(Talk.End.values().length)];
            manner.abortAfterBytes = random.nextLong(1 + talk.requestTotal() + talk.answerTotal());
        }
        talk.client.options = options();
        talk.client.textWithSyn = random.nextInt(2) * random.nextInt(2_000);
        slot.talk = talk;
        open.put(talk.number, slot);
        Host server = world.host(SERVER);
        world.tally.conversations++;
        world.host(talk.clientHost).start(talk, talk.v4 ? server.v4 : server.v6);
    }

    private void end(Slot slot) {
        Talk talk = slot.talk;
        if (talk == null) {
            return;
        }
        open.remove(talk.number);
        Party client = slot.client;
        Party server = slot.server;
        if (client != null && server != null && client.isComplete() && server.isComplete()) {
            world.tally.completed++;
        }
        ended++;
        slot.talk = null;
        slot.client = null;
        slot.server = null;
        world.events.at(world.nowNs() + random.nextLong(REST_NS), () -> begin(slot));
    }

    @Override
    public @Nullable Talk talk(int number, Host server) {
        Slot slot = server.index == SERVER ? open.get(number) : null;
        return slot == null || slot.server != null ? null : slot.talk;
    }

    @Override
    public void onParty(Party party, boolean client) {
        Slot slot = open.get(party.talk.number);
        if (slot != null && client) {
            slot.client = party;
        } else if (slot != null) {
            slot.server = party;
        }
    }

    @Override
    public void onNeverStarted(Talk talk) {
        Slot slot = open.get(talk.number);
        if (slot != null) {
            end(slot);
        }
    }

    /** A cycle ends with its client, and with its server if that has begun. */
    @Override
    public void onOver(Application application) {
        if (application instanceof Party party) {
            Slot slot = open.get(party.talk.number);
            if (slot != null && isOver(slot.client) && (slot.server == null || isOver(slot.server))) {
                end(slot);
            }
        }
    }

    private static boolean isOver(@Nullable Party party) {
        return party != null && party.isOver();
    }

    @Override
    public @Nullable Inquiry inquiry(int number) {
        return null;
    }

    @Override
    public void onAsker(Inquiry inquiry, Asker asker) {
        throw new IllegalStateException("nobody asks here");
    }

    @Override
    public boolean checksAfter(long turn) {
        return turn % CHECK_EACH == 0;
    }

    // ---- weather ----

    private void weather() {
        if (ended >= count) {
            return;
        }
        long nowNs = world.nowNs();
        int stations = CLIENTS + 1;
        int from = random.nextInt(stations);
        int to = (from + 1 + random.nextInt(stations - 1)) % stations;
        Line line = world.network.line(from, to);
        long delayNs =
                Math.max(world.plan.delaysNs().get(from), world.plan.delaysNs().get(to));
        switch (random.nextInt(12)) {
            case 0 -> crash(nowNs);
            case 1, 2 -> {
                world.tally.pauses++;
                world.host(from).pause(nowNs + random.nextLong(300 * MS));
            }
            case 3, 4 -> {
                line.cut(true);
                world.events.at(nowNs + random.nextLong(SECOND), () -> line.cut(false));
            }
            default -> {
                line.conditions(Conditions.draw(random, delayNs));
                world.events.at(nowNs + random.nextLong(2 * SECOND), () -> line.conditions(Conditions.clean(delayNs)));
            }
        }
        world.events.at(nowNs + random.nextLong(CALM_NS), this::weather);
    }

    /** The client is gone with all it was doing; its servers learn of it by and by. */
    private void crash(long nowNs) {
        Host host = world.host(CRASHING);
        world.tally.crashes++;
        host.crash();
        for (Slot slot : slots) {
            Talk talk = slot.talk;
            if (talk != null && talk.clientHost == CRASHING) {
                interrupted++;
                end(slot);
            }
        }
        world.events.at(nowNs + random.nextLong(2 * SECOND), host::restart);
    }
}
