package dev.millrace.compat.simulate;

import dev.millrace.stack.wire.IpAddress;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * The conversations of a {@link WorldPlan}. Each that has no excuse must end, complete on both sides, once the faults have stopped; {@link
 * #live} sees to it, from the beginning of the world to its end.
 */
final class PlannedTalks implements Conversations {
    private static final long SECOND = 1_000_000_000L;

    /** After the faults, the longest that a talk may take: several of the longest retransmission timeouts. */
    private static final long PATIENCE_NS = 900 * SECOND;
    /** Until even talks that may fail are not waited for any more. */
    private static final long INDULGENCE_NS = 60 * SECOND;

    private static final int MAX_TURNS = 3_000_000;

    final World world;

    private final WorldPlan plan;
    private final @Nullable Party[] clients;
    private final @Nullable Party[] servers;
    private final boolean[] neverStarted;
    private final @Nullable Asker[] askers;

    /**
     * The world of a seed.
     *
     * @param log told of every frame, or null
     */
    PlannedTalks(long seed, @Nullable WireLog log) {
        SplittableRandom random = new SplittableRandom(seed);
        long startNs = SECOND * (1 + random.nextInt(1_000_000));
        this.plan = WorldPlan.draw(random.split(), startNs);
        this.clients = new @Nullable Party[plan.talks().size()];
        this.servers = new @Nullable Party[plan.talks().size()];
        this.neverStarted = new boolean[plan.talks().size()];
        this.askers = new @Nullable Asker[plan.inquiries().size()];
        this.world = new World(plan, this, random, startNs, log);
        for (Talk talk : plan.talks()) {
            world.tally.conversations++;
            Host server = world.host(talk.serverHost);
            IpAddress remote = talk.v4 ? server.v4 : server.v6;
            world.events.at(talk.startNs, () -> world.host(talk.clientHost).start(talk, remote));
        }
        for (Inquiry inquiry : plan.inquiries()) {
            Host server = world.host(inquiry.serverHost());
            IpAddress remote = inquiry.v4() ? server.v4 : server.v6;
            world.events.at(
                    inquiry.startNs(), () -> world.host(inquiry.clientHost()).start(inquiry, remote));
        }
    }

    // ---- what the inhabitants ask ----

    @Override
    public @Nullable Talk talk(int number, Host server) {
        if (number < 0 || number >= servers.length || servers[number] != null) {
            return null;
        }
        Talk talk = plan.talks().get(number);
        return talk.serverHost == server.index ? talk : null;
    }

    @Override
    public void onParty(Party party, boolean client) {
        (client ? clients : servers)[party.talk.number] = party;
    }

    @Override
    public void onNeverStarted(Talk talk) {
        neverStarted[talk.number] = true;
    }

    @Override
    public void onOver(Application application) {
        // asked for when time has passed
    }

    @Override
    public @Nullable Inquiry inquiry(int number) {
        return number < 0 || number >= askers.length ? null : plan.inquiries().get(number);
    }

    @Override
    public void onAsker(Inquiry inquiry, Asker asker) {
        askers[inquiry.number()] = asker;
    }

    @Override
    public boolean checksAfter(long turn) {
        return true;
    }

    // ---- from the beginning to the end ----

    void live() {
        long faultsEndNs = world.startNs + plan.faultsNs();
        long lastStartNs = lastStartNs();
        world.runUntil(faultsEndNs + INDULGENCE_NS, () -> world.nowNs() > lastStartNs && allOver(true));
        world.runUntil(faultsEndNs + PATIENCE_NS, () -> allOver(false));
        if (!allOver(false)) {
            world.fail("a talk did not end though the faults stopped " + (world.nowNs() - faultsEndNs) / 1e9
                    + " s ago: " + firstUnfinished());
        }
        countCompleted();
        world.runUntil(faultsEndNs, () -> false);
        world.end();
    }

    private long lastStartNs() {
        long last = world.startNs;
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
        if (world.tally.turns > MAX_TURNS) {
            world.fail("no end in sight after " + world.tally.turns + " turns: " + firstUnfinished());
        }
        for (Talk talk : plan.talks()) {
            if ((excusedToo || !talk.isExcused()) && !isOver(talk)) {
                return false;
            }
        }
        return firstUnanswered() == null;
    }

    private boolean isOver(Talk talk) {
        if (neverStarted[talk.number]) {
            return true;
        }
        Party client = clients[talk.number];
        Party server = servers[talk.number];
        return client != null && client.isOver() && (server == null ? talk.isExcused() : server.isOver());
    }

    private @Nullable Asker firstUnanswered() {
        for (Asker asker : askers) {
            if (asker != null && !asker.over) {
                return asker;
            }
        }
        return null;
    }

    private void countCompleted() {
        for (Talk talk : plan.talks()) {
            Party client = clients[talk.number];
            Party server = servers[talk.number];
            if (client != null && server != null && client.isComplete() && server.isComplete()) {
                world.tally.completed++;
            }
        }
    }

    private String firstUnfinished() {
        for (Talk talk : plan.talks()) {
            if (!isOver(talk)) {
                return talk + "\n  " + clients[talk.number] + "\n  " + servers[talk.number] + world.flows();
            }
        }
        return String.valueOf(firstUnanswered());
    }
}
