package dev.millrace.compat.simulate;

import java.util.List;
import java.util.SplittableRandom;

/** What goes wrong in a world and when; everything has been mended when {@link WorldPlan#faultsNs} has passed. */
final class Faults {
    private final World world;
    private final List<Host> hosts;
    private final SplittableRandom random;
    private final long startNs;
    private final long endNs;

    Faults(World world, List<Host> hosts, SplittableRandom random) {
        this.world = world;
        this.hosts = hosts;
        this.random = random;
        this.startNs = world.nowNs();
        this.endNs = startNs + world.plan.faultsNs();
    }

    void schedule() {
        int stations = world.network.stations();
        if (world.plan.faultsNs() > 0) {
            for (int from = 0; from < stations; from++) {
                for (int to = 0; to < stations; to++) {
                    worsen(from, to, startNs);
                }
            }
            for (int i = 0; i < world.plan.faults(); i++) {
                long atNs = startNs + random.nextLong(endNs - startNs);
                switch (random.nextInt(4)) {
                    case 0 -> worsen(random.nextInt(stations), random.nextInt(stations), atNs);
                    case 1 -> pause(atNs);
                    case 2 -> cut(random.nextInt(stations), random.nextInt(stations), atNs, false);
                    default -> cut(random.nextInt(stations), random.nextInt(stations), atNs, true);
                }
            }
        }
        for (WorldPlan.Crash crash : world.plan.crashes()) {
            world.events.at(crash.atNs(), () -> {
                world.tally.crashes++;
                hosts.get(crash.host()).crash();
            });
            world.events.at(crash.untilNs(), hosts.get(crash.host())::restart);
        }
    }

    private long delayNs(int from, int to) {
        return Math.max(world.plan.delaysNs().get(from), world.plan.delaysNs().get(to));
    }

    /** One direction gets other conditions until the faults end. */
    private void worsen(int from, int to, long atNs) {
        Line line = world.network.line(from, to);
        Conditions worse = Conditions.draw(random, delayNs(from, to));
        world.events.at(atNs, () -> line.conditions(worse));
        world.events.at(endNs, () -> line.conditions(Conditions.clean(delayNs(from, to))));
    }

    private void cut(int from, int to, long atNs, boolean bothWays) {
        long untilNs = Math.min(endNs, atNs + random.nextLong(endNs - startNs));
        cut(world.network.line(from, to), atNs, untilNs);
        if (bothWays) {
            cut(world.network.line(to, from), atNs, untilNs);
        }
    }

    private void cut(Line line, long atNs, long untilNs) {
        world.events.at(atNs, () -> line.cut(true));
        world.events.at(untilNs, () -> line.cut(false));
    }

    /** A process that does not run: garbage collection, a suspended machine. */
    private void pause(long atNs) {
        Host host = hosts.get(random.nextInt(hosts.size()));
        long lengthNs = Math.min(endNs - atNs, 1L << random.nextInt(34));
        world.events.at(atNs, () -> {
            world.tally.pauses++;
            host.pause(atNs + lengthNs);
        });
    }
}
