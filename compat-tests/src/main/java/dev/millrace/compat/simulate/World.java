package dev.millrace.compat.simulate;

import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Hosts on a network, what they say to each other, and what goes wrong meanwhile: all of it from one seed. {@link #run} lives through it and
 * throws a {@link WorldFailure} when an invariant breaks, a byte differs, memory is not returned, or a talk does not end though the
 * faults have stopped.
 */
public final class World implements AutoCloseable {
    private static final long MS = 1_000_000L;
    private static final long SECOND = 1_000 * MS;

    /** How long neighbours may be thought unreachable after the faults have stopped. */
    private static final long RECOVERY_NS = 5 * SECOND;

    /** After the faults, the longest that a talk may take: several of the longest retransmission timeouts. */
    private static final long PATIENCE_NS = 900 * SECOND;
    /** Until even talks that may fail are not waited for any more. */
    private static final long INDULGENCE_NS = 60 * SECOND;
    /** After everything was given up: TIME-WAIT, half-open entries, orphans. */
    private static final long QUIET_NS = 600 * SECOND;

    private static final int MAX_TURNS = 3_000_000;
    private static final int SCRATCH_BYTES = 65_536;

    final EventQueue events = new EventQueue();
    final Network network = new Network();
    final Tally tally = new Tally();
    final ByteBuffer scratch = ByteBuffer.allocate(SCRATCH_BYTES);
    final WorldPlan plan;

    private final @Nullable WireLog log;
    private final List<Host> hosts = new ArrayList<>();
    private final @Nullable Party[] clients;
    private final @Nullable Party[] servers;
    private final boolean[] neverStarted;
    private final @Nullable Asker[] askers;
    private final long startNs;
    private long nowNs;

    /**
     * @param seed of everything
     * @param log told of every frame, or null
     */
    public World(long seed, @Nullable WireLog log) {
        SplittableRandom random = new SplittableRandom(seed);
        this.log = log;
        this.startNs = SECOND * (1 + random.nextInt(1_000_000));
        this.nowNs = startNs;
        this.plan = WorldPlan.draw(random.split(), startNs);
        this.clients = new @Nullable Party[plan.talks().size()];
        this.servers = new @Nullable Party[plan.talks().size()];
        this.neverStarted = new boolean[plan.talks().size()];
        this.askers = new @Nullable Asker[plan.inquiries().size()];
        build(random);
    }

    private void build(SplittableRandom random) {
        for (HostPlan each : plan.hosts()) {
            hosts.add(new Host(this, hosts.size(), each, random.split()));
        }
        Wiretap wiretap = new Wiretap();
        if (plan.spoofs() > 0) {
            network.watch(wiretap);
        }
        Attacker attacker = new Attacker(this, random.split());
        network.connect(this, plan.delaysNs(), random.split());
        network.strip(plan.strippedOptions());
        for (Talk talk : plan.talks()) {
            tally.conversations++;
            Host server = hosts.get(talk.serverHost);
            IpAddress remote = talk.v4 ? server.v4 : server.v6;
            events.at(talk.startNs, () -> hosts.get(talk.clientHost).start(talk, remote));
        }
        for (Inquiry inquiry : plan.inquiries()) {
            Host server = hosts.get(inquiry.serverHost());
            IpAddress remote = inquiry.v4() ? server.v4 : server.v6;
            events.at(inquiry.startNs(), () -> hosts.get(inquiry.clientHost()).start(inquiry, remote));
        }
        new Faults(this, hosts, random.split()).schedule();
        new Spoofer(this, wiretap, random.split()).schedule();
        attacker.schedule(hosts);
    }

    // ---- what the inhabitants ask ----

    long nowNs() {
        return nowNs;
    }

    /** Whether connections are to be checked in this turn. */
    boolean checksNow() {
        return true;
    }

    /** Whether lines may be bad, or have been until a moment ago. */
    boolean hasFaults() {
        return nowNs < startNs + plan.faultsNs() + RECOVERY_NS;
    }

    void trace(int from, int to, byte[] frame, String fate) {
        if (log != null) {
            log.onFrame(nowNs - startNs, from, to, frame, fate);
        }
    }

    void fail(String what) {
        fail(what, null);
    }

    void fail(String what, @Nullable Throwable cause) {
        throw new WorldFailure("after " + (nowNs - startNs) / 1e9 + " s: " + what, cause);
    }

    /** The talk of that number, when it is one for this host and nobody serves it yet. */
    @Nullable
    Talk talk(int number, Host server) {
        if (number < 0 || number >= servers.length || servers[number] != null) {
            return null;
        }
        Talk talk = plan.talks().get(number);
        return talk.serverHost == server.index ? talk : null;
    }

    void onParty(Party party, boolean client) {
        (client ? clients : servers)[party.talk.number] = party;
    }

    /** Whether the server's host may answer SYNs and remember nothing of them. */
    boolean forgetsHandshakes(Talk talk) {
        return plan.hosts().get(talk.serverHost).tcp().forgetsHandshakes();
    }

    /** Whether the server accepts so few connections at a time, so rarely, that some may wait longer than their SYNs are repeated. */
    boolean acceptsSlowly(Talk talk) {
        HostPlan server = plan.hosts().get(talk.serverHost);
        return server.acceptRestNs() > 0
                && server.listeners().get(talk.port - HostPlan.FIRST_PORT).isShort();
    }

    /** The inquiry of that number, or null. */
    @Nullable
    Inquiry inquiry(int number) {
        return number < 0 || number >= askers.length ? null : plan.inquiries().get(number);
    }

    void onAsker(Inquiry inquiry, Asker asker) {
        askers[inquiry.number()] = asker;
    }

    /** A client could not open. */
    void onNeverStarted(Talk talk) {
        neverStarted[talk.number] = true;
    }

    // ---- time ----

    /** From the beginning to the end. */
    public void run() {
        long faultsEndNs = startNs + plan.faultsNs();
        long lastStartNs = lastStartNs();
        runUntil(faultsEndNs + INDULGENCE_NS, () -> nowNs > lastStartNs && allOver(true));
        runUntil(faultsEndNs + PATIENCE_NS, () -> allOver(false));
        if (!allOver(false)) {
            fail("a talk did not end though the faults stopped " + (nowNs - faultsEndNs) / 1e9 + " s ago: "
                    + firstUnfinished());
        }
        countCompleted();
        runUntil(faultsEndNs, () -> false);
        hosts.forEach(Host::giveUpAll);
        runUntil(nowNs + SECOND, () -> false);
        runUntil(nowNs + QUIET_NS, () -> hosts.stream().allMatch(Host::isQuiet));
        hosts.forEach(Host::checkQuiet);
        tally.virtualNs = nowNs - startNs;
    }

    private void runUntil(long deadlineNs, BooleanSupplier done) {
        while (nowNs < deadlineNs && !done.getAsBoolean()) {
            long next = events.nextNs();
            for (Host host : hosts) {
                next = Math.min(next, host.dueNs());
            }
            nowNs = Math.max(nowNs, Math.min(next, deadlineNs));
            events.run(nowNs);
            for (Host host : hosts) {
                if (host.dueNs() <= nowNs) {
                    host.turn(nowNs);
                }
            }
            if (tally.turns > MAX_TURNS) {
                fail("no end in sight after " + tally.turns + " turns: " + firstUnfinished());
            }
        }
    }

    private long lastStartNs() {
        long last = startNs;
        for (Talk talk : plan.talks()) {
            last = Math.max(last, talk.startNs);
        }
        for (Inquiry inquiry : plan.inquiries()) {
            last = Math.max(last, inquiry.startNs());
        }
        return last;
    }

    /** @param excusedToo whether talks that may fail are waited for */
    private boolean allOver(boolean excusedToo) {
        for (Talk talk : plan.talks()) {
            if ((excusedToo || !talk.isExcused()) && !isOver(talk)) {
                return false;
            }
        }
        return firstUnanswered() == null;
    }

    private @Nullable Asker firstUnanswered() {
        for (Asker asker : askers) {
            if (asker != null && !asker.over) {
                return asker;
            }
        }
        return null;
    }

    private boolean isOver(Talk talk) {
        if (neverStarted[talk.number]) {
            return true;
        }
        Party client = clients[talk.number];
        Party server = servers[talk.number];
        return client != null && client.isOver() && (server == null ? talk.isExcused() : server.isOver());
    }

    private void countCompleted() {
        for (Talk talk : plan.talks()) {
            Party client = clients[talk.number];
            Party server = servers[talk.number];
            if (client != null && server != null && client.isComplete() && server.isComplete()) {
                tally.completed++;
            }
        }
    }

    private String firstUnfinished() {
        for (Talk talk : plan.talks()) {
            if (!isOver(talk)) {
                StringBuilder text = new StringBuilder(talk.toString());
                text.append("\n  ").append(clients[talk.number]).append("\n  ").append(servers[talk.number]);
                hosts.forEach(host -> text.append(host.flows()));
                return text.toString();
            }
        }
        return String.valueOf(firstUnanswered());
    }

    /** What has happened so far. */
    Tally tally() {
        return tally;
    }

    /** Gives all memory back; also after a failure. */
    @Override
    public void close() {
        hosts.forEach(Host::close);
    }

    /** What is in it, line by line. */
    @Override
    public String toString() {
        StringBuilder text =
                new StringBuilder("faults for ").append(plan.faultsNs() / 1e9).append(" s, crashes ");
        text.append(plan.crashes()).append(", delays ").append(plan.delaysNs()).append(" ns");
        plan.hosts().forEach(host -> text.append("\n  ").append(host));
        plan.talks().forEach(talk -> text.append("\n  ").append(talk));
        plan.inquiries().forEach(inquiry -> text.append("\n  ").append(inquiry));
        return text.toString();
    }
}
