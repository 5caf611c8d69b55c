package dev.millrace.compat.simulate;

import java.util.SplittableRandom;

/** One direction between two stations: what it does to the frames that are sent along it. */
final class Line {
    private static final long NS_PER_SECOND = 1_000_000_000L;

    private final World world;
    private final int from;
    private final int to;
    private final SplittableRandom random;
    private Conditions conditions;
    private boolean cut;
    private long freeNs = Long.MIN_VALUE;

    Line(World world, int from, int to, Conditions conditions, SplittableRandom random) {
        this.world = world;
        this.from = from;
        this.to = to;
        this.conditions = conditions;
        this.random = random;
    }

    void conditions(Conditions changed) {
        conditions = changed;
    }

    /** While cut, nothing comes through. */
    void cut(boolean now) {
        cut = now;
    }

    void carry(byte[] frame) {
        // every frame draws the same number of times, so that one event does not shift the rest of the run
        double lost = random.nextDouble();
        double doubled = random.nextDouble();
        double damaged = random.nextDouble();
        double late = random.nextDouble();
        long jitter = random.nextLong(1 + conditions.jitterNs());
        long lateness = random.nextLong(1 + conditions.reorderNs());
        int bit = random.nextInt(Integer.MAX_VALUE);
        Tally tally = world.tally;
        long nowNs = world.nowNs();
        tally.frames++;
        if (cut) {
            tally.cutOff++;
            world.trace(from, to, frame, "cut");
            return;
        }
        if (Frames.ipLength(frame) > conditions.mtu(Frames.isV4(frame))) {
            onTooBig(frame, nowNs);
            return;
        }
        if (lost < conditions.loss()) {
            tally.lost++;
            world.trace(from, to, frame, "lost");
            return;
        }
        long backlog = backlogBytes(nowNs);
        if (backlog > conditions.queueBytes()) {
            tally.overflowed++;
            world.trace(from, to, frame, "queue full");
            return;
        }
        byte[] carried = frame;
        String fate = "";
        if (conditions.markAtBytes() > 0 && backlog >= conditions.markAtBytes() && Frames.isEcnCapable(frame)) {
            tally.marked++;
            fate = "marked";
            carried = Frames.marked(frame);
        }
        if (damaged < conditions.corrupt() && Frames.isIp(carried) && !Frames.isFragment(carried)) {
            tally.corrupted++;
            fate = "corrupted";
            carried = Frames.damaged(carried, bit);
        }
        long dueNs = departNs(frame.length, nowNs) + conditions.delayNs() + jitter;
        if (late < conditions.reorder()) {
            tally.delayed++;
            dueNs += lateness;
        }
        world.trace(from, to, carried, fate);
        send(carried, dueNs);
        if (doubled < conditions.duplicate()) {
            tally.duplicated++;
            send(carried, dueNs + lateness);
        }
    }

    /** What a router does: RFC 791 §3.2 where fragments are allowed, otherwise RFC 1191 §4, RFC 4443 §3.2, or nothing. */
    private void onTooBig(byte[] frame, long nowNs) {
        int mtu = conditions.mtu(Frames.isV4(frame));
        if (Frames.mayBeFragmented(frame)) {
            world.tally.fragmented++;
            Frames.fragments(frame, mtu).forEach(this::carry);
            return;
        }
        world.tally.tooBig++;
        world.trace(from, to, frame, "too big");
        if (conditions.reportsTooBig()) {
            byte[] answer = Frames.tooBig(frame, mtu);
            world.events.at(nowNs + conditions.delayNs(), () -> world.network.deliver(from, answer));
        }
    }

    private void send(byte[] frame, long dueNs) {
        world.events.at(dueNs, () -> world.network.deliver(to, frame));
    }

    private long backlogBytes(long nowNs) {
        if (conditions.bitsPerSecond() == 0 || freeNs <= nowNs) {
            return 0;
        }
        return (freeNs - nowNs) * conditions.bitsPerSecond() / (8 * NS_PER_SECOND);
    }

    /** When the last bit of a frame has left, on a line of limited rate. */
    private long departNs(int length, long nowNs) {
        if (conditions.bitsPerSecond() == 0) {
            return nowNs;
        }
        freeNs = Math.max(freeNs, nowNs) + length * 8L * NS_PER_SECOND / conditions.bitsPerSecond();
        return freeNs;
    }
}
