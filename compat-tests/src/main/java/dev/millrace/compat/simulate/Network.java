package dev.millrace.compat.simulate;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * One Ethernet segment: stations, and a {@link Line} for each ordered pair of them. Frames to a group reach every other station. What
 * watches the wire is told of every frame before the lines get it.
 */
final class Network {
    /** Somebody who takes frames; the array is shared and must not be changed. */
    interface Station {
        void onFrame(byte[] frame);
    }

    private final List<Station> stations = new ArrayList<>();
    private final List<Consumer<byte[]>> watchers = new ArrayList<>();
    private Line[][] lines = {};
    private int stripped;

    /** Hardware address of a station. */
    static long mac(int station) {
        return 0x02_00_00_00_00_10L + station;
    }

    /** The station's number. */
    int join(Station station) {
        stations.add(station);
        return stations.size() - 1;
    }

    /** Once everybody has joined. */
    void connect(World world, List<Long> delaysNs, SplittableRandom random) {
        int count = stations.size();
        lines = new Line[count][count];
        for (int from = 0; from < count; from++) {
            for (int to = 0; to < count; to++) {
                Conditions clean = Conditions.clean(Math.max(delaysNs.get(from), delaysNs.get(to)));
                lines[from][to] = new Line(world, from, to, clean, random.split());
            }
        }
    }

    /** From now on these kinds of options are removed from every SYN; see {@link Middlebox}. */
    void strip(int kinds) {
        stripped = kinds;
    }

    void watch(Consumer<byte[]> watcher) {
        watchers.add(watcher);
    }

    Line line(int from, int to) {
        return lines[from][to];
    }

    int stations() {
        return stations.size();
    }

    /** A station sends. */
    void send(int from, byte[] sent) {
        byte[] frame = stripped == 0 ? sent : Middlebox.strip(sent, stripped);
        for (Consumer<byte[]> watcher : watchers) {
            watcher.accept(frame);
        }
        long destination = Frames.destinationMac(frame);
        if ((destination & 0x0100_0000_0000L) != 0) {
            for (int to = 0; to < stations.size(); to++) {
                if (to != from) {
                    lines[from][to].carry(frame);
                }
            }
            return;
        }
        long to = destination - mac(0);
        if (to >= 0 && to < stations.size() && to != from) {
            lines[from][(int) to].carry(frame);
        }
    }

    /** A frame comes off a line, or out of nowhere. */
    void deliver(int to, byte[] frame) {
        stations.get(to).onFrame(frame);
    }
}
