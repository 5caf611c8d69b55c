package dev.millrace.compat.simulate;

import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.metrics.Counters;
import java.util.Locale;

/** What has happened in one world or in many, so that one sees that the worlds do exercise what they are for. */
final class Tally {
    // on the lines
    long frames;
    long lost;
    long cutOff;
    long corrupted;
    long duplicated;
    long delayed;
    long overflowed;
    long tooBig;
    long marked;
    /** Packets that routers made fragments of. */
    long fragmented;
    /** Frames that found no room in a host's ring. */
    long ringFull;

    // hosts
    long crashes;
    long pauses;

    // applications
    long conversations;
    long completed;
    long failed;
    long aborted;
    long bytes;
    /** Datagrams. */
    long questions;

    long answers;
    long strangers;

    // attackers
    long forged;
    long replayed;
    long icmpForged;

    long turns;
    long virtualNs;

    private final long[] counted = new long[Counter.values().length];

    /** Takes over what a core that ends has counted. */
    void add(Counters counters) {
        for (Counter counter : Counter.values()) {
            counted[counter.ordinal()] += counters.get(counter);
        }
    }

    long get(Counter counter) {
        return counted[counter.ordinal()];
    }

    void add(Tally other) {
        frames += other.frames;
        lost += other.lost;
        cutOff += other.cutOff;
        corrupted += other.corrupted;
        duplicated += other.duplicated;
        delayed += other.delayed;
        overflowed += other.overflowed;
        tooBig += other.tooBig;
        marked += other.marked;
        fragmented += other.fragmented;
        questions += other.questions;
        answers += other.answers;
        icmpForged += other.icmpForged;
        ringFull += other.ringFull;
        crashes += other.crashes;
        pauses += other.pauses;
        conversations += other.conversations;
        completed += other.completed;
        failed += other.failed;
        aborted += other.aborted;
        bytes += other.bytes;
        strangers += other.strangers;
        forged += other.forged;
        replayed += other.replayed;
        turns += other.turns;
        virtualNs += other.virtualNs;
        for (int i = 0; i < counted.length; i++) {
            counted[i] += other.counted[i];
        }
    }

    /** Several lines for people: what happened per world, of {@code worlds}. */
    String report(long worlds) {
        StringBuilder text = new StringBuilder();
        line(
                text,
                worlds,
                "applications",
                "conversations",
                conversations,
                "completed",
                completed,
                "failed as they may",
                failed,
                "aborted",
                aborted,
                "strangers",
                strangers,
                "bytes",
                bytes,
                "questions",
                questions,
                "answers",
                answers);
        line(
                text,
                worlds,
                "network",
                "frames",
                frames,
                "lost",
                lost,
                "cut off",
                cutOff,
                "corrupted",
                corrupted,
                "duplicated",
                duplicated,
                "delayed",
                delayed,
                "queue full",
                overflowed,
                "ring full",
                ringFull,
                "too big",
                tooBig,
                "fragmented",
                fragmented,
                "marked",
                marked);
        line(
                text,
                worlds,
                "hosts",
                "turns",
                turns,
                "crashes",
                crashes,
                "pauses",
                pauses,
                "virtual seconds",
                virtualNs / 1_000_000_000L);
        line(text, worlds, "attackers", "forged", forged, "replayed", replayed, "ICMP", icmpForged);
        text.append("engine, per world:");
        for (Counter counter : Counter.values()) {
            if (counted[counter.ordinal()] > 0) {
                text.append(String.format(
                        Locale.ROOT,
                        "%n  %-32s %.4g",
                        counter.name().toLowerCase(Locale.ROOT),
                        counted[counter.ordinal()] / (double) worlds));
            }
        }
        return text.toString();
    }

    private static void line(StringBuilder text, long worlds, String title, Object... namesAndValues) {
        text.append(title).append(", per world:");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            double value = ((Number) namesAndValues[i + 1]).doubleValue() / worlds;
            text.append(String.format(
                    Locale.ROOT, " %s %.4g%s", namesAndValues[i], value, i + 2 < namesAndValues.length ? "," : ""));
        }
        text.append(System.lineSeparator());
    }
}
