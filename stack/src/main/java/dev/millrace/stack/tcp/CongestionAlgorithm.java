package dev.millrace.stack.tcp;

import java.util.Arrays;

/** The congestion controls there are, and what each needs of the connection around it. Immutable; any thread. */
public enum CongestionAlgorithm {
    /** RFC 9438 with HyStart++ (RFC 9406); the default, as Linux'. */
    CUBIC("cubic", false, false),
    /** RFC 5681. */
    NEWRENO("newreno", false, false),
    /** RFC 8257; for data centres whose switches mark early. */
    DCTCP("dctcp", true, false);

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

    /** One instance for one connection. */
    CongestionControl create() {
        return switch (this) {
            case CUBIC -> new Cubic();
            case NEWRENO -> new NewReno();
            case DCTCP -> new Dctcp();
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
