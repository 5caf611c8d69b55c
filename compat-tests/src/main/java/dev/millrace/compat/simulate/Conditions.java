package dev.millrace.compat.simulate;

import java.util.SplittableRandom;

/**
 * How one direction between two hosts treats frames. Probabilities are of each frame.
 *
 * @param loss that it vanishes
 * @param duplicate that it comes twice
 * @param corrupt that one bit behind its Ethernet header flips
 * @param reorder that it takes up to {@code reorderNs} longer
 * @param delayNs that every frame takes
 * @param jitterNs most that a frame takes longer than that
 * @param bitsPerSecond rate of the line, 0 for no limit
 * @param queueBytes what waits for the line at most; the rest is lost
 * @param mtu largest IPv4 packet; IPv6 has at least {@link #MIN_MTU_V6}
 * @param reportsTooBig whether larger ones are answered by ICMP, as a router does, or vanish
 * @param markAtBytes queue length from which ECN-capable packets are marked instead of waiting unmarked, 0 for never
 */
record Conditions(
        double loss,
        double duplicate,
        double corrupt,
        double reorder,
        long reorderNs,
        long delayNs,
        long jitterNs,
        long bitsPerSecond,
        int queueBytes,
        int mtu,
        boolean reportsTooBig,
        int markAtBytes) {

    private static final long MS = 1_000_000L;
    private static final int ANY_MTU = 65_535;
    /** RFC 8200 §5. */
    private static final int MIN_MTU_V6 = 1280;

    /** A line that delays and does nothing else. */
    static Conditions clean(long delayNs) {
        return new Conditions(0, 0, 0, 0, 0, delayNs, 0, 0, Integer.MAX_VALUE, ANY_MTU, true, 0);
    }

    /** Largest packet of that family. */
    int mtu(boolean v4) {
        return v4 ? mtu : Math.max(mtu, MIN_MTU_V6);
    }

    /** From barely imperfect to barely usable. */
    static Conditions draw(SplittableRandom random, long delayNs) {
        double badness = Math.pow(random.nextDouble(), 3); // most lines are fair
        long rate = random.nextInt(3) > 0 ? 0 : 1_000_000L << random.nextInt(10);
        int mtu = random.nextInt(5) > 0 ? ANY_MTU : 576 + random.nextInt(925);
        return new Conditions(
                one(random, 2) * 0.3 * badness,
                one(random, 3) * 0.2 * badness,
                one(random, 4) * 0.1 * badness,
                one(random, 2) * 0.5 * badness,
                1 + random.nextLong(30 * MS),
                delayNs,
                random.nextInt(2) * random.nextLong(1 + delayNs),
                rate,
                3_000 + random.nextInt(200_000),
                mtu,
                random.nextInt(4) > 0,
                random.nextInt(3) > 0 ? 0 : 1 + random.nextInt(30_000));
    }

    /** 1 in one of {@code of} cases, else 0. */
    private static int one(SplittableRandom random, int of) {
        return random.nextInt(of) == 0 ? 1 : 0;
    }
}
