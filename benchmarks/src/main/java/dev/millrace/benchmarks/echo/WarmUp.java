package dev.millrace.benchmarks.echo;

/**
 * Decides when a phase has warmed up: for two seconds the compilers of both JVMs have done next to nothing and the rate of exchanges has not risen. A JVM
 * with one core compiles on the core that is to be measured, and how long that takes is a matter of the machine. Single-threaded.
 */
final class WarmUp {
    private static final long SLICE_NS = 250_000_000;
    /** Half of them are compared with the other half. */
    private static final int SLICES = 8;

    /** Of the slices' time, both JVMs together. */
    private static final double COMPILING = 0.05;

    private static final double RISING = 1.1;

    private final CompilerThreads compilers;
    private final long longestNs;
    private final long[] exchanges = new long[SLICES];
    private final long[] compiledNs = new long[SLICES];
    private int slices;
    private long beginNs;
    private long sliceFromNs;
    private long exchangesBefore;
    private long compiledBeforeNs;

    /** @param longestNs it is over after so long, steady or not */
    WarmUp(CompilerThreads compilers, long longestNs) {
        this.compilers = compilers;
        this.longestNs = longestNs;
    }

    void begin(long nowNs) {
        beginNs = nowNs;
        sliceFromNs = nowNs;
        compiledBeforeNs = compilers.cpuNs();
    }

    /** @param total exchanges since the beginning */
    boolean isOver(long nowNs, long total) {
        if (nowNs - sliceFromNs >= SLICE_NS) {
            endSlice(nowNs, total);
            if (isSteady()) {
                return true;
            }
        }
        return nowNs - beginNs >= longestNs;
    }

    private void endSlice(long nowNs, long total) {
        long compiled = compilers.cpuNs();
        int at = slices++ % SLICES;
        exchanges[at] = total - exchangesBefore;
        compiledNs[at] = compiled - compiledBeforeNs;
        exchangesBefore = total;
        compiledBeforeNs = compiled;
        sliceFromNs = nowNs;
    }

    private boolean isSteady() {
        if (slices < SLICES) {
            return false;
        }
        long older = 0;
        long newer = 0;
        long compiled = 0;
        for (int age = 0; age < SLICES; age++) {
            int at = (slices - 1 - age) % SLICES;
            compiled += compiledNs[at];
            if (age < SLICES / 2) {
                newer += exchanges[at];
            } else {
                older += exchanges[at];
            }
        }
        return compiled < COMPILING * SLICES * SLICE_NS && newer < RISING * older;
    }
}
