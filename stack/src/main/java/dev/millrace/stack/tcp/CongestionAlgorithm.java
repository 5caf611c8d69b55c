package dev.millrace.stack.tcp;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** The congestion controls there are, and what each needs of the connection around it. Immutable; any thread. */
public enum CongestionAlgorithm {
    /** RFC 9438 with HyStart++ (RFC 9406); the default, as Linux'. */
    CUBIC("cubic", false, false),
    /** RFC 5681. */
    NEWRENO("newreno", false, false),
    /** RFC 8257; for data centres whose switches mark early. */
    DCTCP("dctcp", true, false),
    /** Version 1, as Linux'. */
    BBR("bbr", false, true);

    private final String text;
    private final boolean needsEcn;
    private final boolean needsPacing;

    CongestionAlgorithm(String text, boolean needsEcn, boolean needsPacing) {
        this.text = text;
        this.needsEcn = needsEcn;
        this.needsPacing = needsPacing;
    }

    /** As it is written in settings. */
    public String text() {
        return text;
    }

    /** It asks for ECN in each SYN, whatever {@link EcnMode} says. */
    boolean needsEcn() {
        return needsEcn;
    }

    /** Segments leave at the rate that it names, whether or not others are paced. */
    boolean needsPacing() {
        return needsPacing;
    }

    /** One instance for one connection; {@code random} keeps connections from doing things in step. */
    CongestionControl create(RandomGenerator random) {
        return switch (this) {
            case CUBIC -> new Cubic();
            case NEWRENO -> new NewReno();
            case DCTCP -> new Dctcp();
            case BBR -> new Bbr(random);
        };
    }

    /**
     * The algorithm of that name; {@code reno} is another one for {@code newreno}.
     *
     * @throws IllegalArgumentException for any other name
     */
    public static CongestionAlgorithm of(String text) {
        String name = text.equals("reno") ? NEWRENO.text : text;
        return Arrays.stream(values())
                .filter(algorithm -> algorithm.text.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown congestion control"));
    }
}
