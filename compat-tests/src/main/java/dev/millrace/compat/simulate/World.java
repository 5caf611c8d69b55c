package dev.millrace.compat.simulate;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Hosts on a network and their time. Who talks to whom is the {@link Conversations}' business, what goes wrong that of {@link Faults}, {@link
 * Spoofer} and {@link Attacker}. Whatever must not be is thrown as a {@link WorldFailure}. One thread.
 */
final class World implements AutoCloseable {
    private static final long MS = 1_000_000L;
    private static final long SECOND = 1_000 * MS;

    /** How long neighbours may be thought unreachable after the faults have stopped. */
    private static final long RECOVERY_NS = 5 * SECOND;

    /** After everything was given up: TIME-WAIT, half-open entries, orphans. */
    private static final long QUIET_NS = 600 * SECOND;

    private static final int SCRATCH_BYTES = 65_536;

    final EventQueue events = new EventQueue();
    final Network network = new Network();
    final Tally tally = new Tally();
    final byte[] scratchBytes = new byte[SCRATCH_BYTES];
    /** The same bytes, as sockets want them. */
    final ByteBuffer scratch = ByteBuffer.wrap(scratchBytes);

    final WorldPlan plan;
    final Conversations conversations;
    final long startNs;

    private final @Nullable WireLog log;
    private final List<Host> hosts = new ArrayList<>();
    private long nowNs;

    /**
     * The inhabitants, and nothing going on yet.
     *
     * @param log told of every frame, or null
     */
    World(WorldPlan plan, Conversations conversations, SplittableRandom random, long startNs, @Nullable WireLog log) {
        this.plan = plan;
        this.conversations = conversations;
        this.startNs = startNs;
        this.nowNs = startNs;
        this.log = log;
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
        new Faults(this, hosts, random.split()).schedule();
        new Spoofer(this, wiretap, random.split()).schedule();
        attacker.schedule(hosts);
    }

    // ---- what the inhabitants ask ----

    long nowNs() {
        return nowNs;
    }

    Host host(int index) {
        return hosts.get(index);
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

    /** Whether the server's host may answer SYNs and remember nothing of them. */
    boolean forgetsHandshakes(Talk talk) {
        return plan.hosts().get(talk.serverHost).tcp().forgetsHandshakes();
    }

    /** Whether the server's host has forgotten a half-open entry before its time. */
    boolean gaveUpHandshakes(Talk talk) {
        return hasFaults() && host(talk.serverHost).hasGivenUpHandshakes();
    }

    /** Whether the server accepts so few connections at a time, so rarely, that some may wait longer than their SYNs are repeated. */
    boolean acceptsSlowly(Talk talk) {
        HostPlan server = plan.hosts().get(talk.serverHost);
        return server.acceptRestNs() > 0
                && server.listeners().get(talk.port - HostPlan.FIRST_PORT).isShort();
    }

    /** Whether the client's connects succeed before anybody has answered. */
    boolean defersConnects(Talk talk) {
        return plan.hosts().get(talk.clientHost).tcp().defersConnects();
    }

    // ---- time ----

    /** Lets time pass until then, or until that is so; events and turns in the order of their times. */
    void runUntil(long deadlineNs, BooleanSupplier done) {
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
        }
    }

    /** Nobody is waited for any more: once everything has been given up and every timer has run out, nothing may be left. */
    void end() {
        hosts.forEach(Host::giveUpAll);
        runUntil(nowNs + SECOND, () -> false);
        runUntil(nowNs + QUIET_NS, () -> hosts.stream().allMatch(Host::isQuiet));
        hosts.forEach(Host::checkQuiet);
        tally.virtualNs = nowNs - startNs;
    }

    /** What stands in all flow tables, for messages. */
    String flows() {
        StringBuilder text = new StringBuilder();
        hosts.forEach(host -> text.append(host.flows()));
        return text.toString();
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
