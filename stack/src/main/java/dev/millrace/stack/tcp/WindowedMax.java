package dev.millrace.stack.tcp;

/**
 * The largest value of the last so many rounds, in constant space: the best, and the best of what came after it, and of what came after
 * that (K. Nichols' windowed filter, as Linux' {@code win_minmax} has it). When the best is too old, the next takes its place; the other two
 * are renewed after a quarter and a half of the window, so that there is always a fairly recent one. Core thread only.
 */
final class WindowedMax {
    private final long windowRounds;
    private final long[] values = new long[3];
    private final long[] rounds = new long[3];

    WindowedMax(long windowRounds) {
        this.windowRounds = windowRounds;
    }

    long get() {
        return values[0];
    }

    void update(long value, long round) {
        if (value >= values[0] || round - rounds[2] > windowRounds) {
            set(0, value, round);
            return;
        }
        if (value >= values[1]) {
            set(1, value, round);
        } else if (value >= values[2]) {
            set(2, value, round);
        }
        age(value, round);
    }

    private void age(long value, long round) {
        long best = round - rounds[0];
        if (best > windowRounds) {
            shift();
            set(2, value, round);
            if (round - rounds[0] > windowRounds) {
                shift();
                set(2, value, round);
            }
        } else if (rounds[1] == rounds[0] && best > windowRounds / 4) {
            set(1, value, round);
        } else if (rounds[2] == rounds[1] && best > windowRounds / 2) {
            set(2, value, round);
        }
    }

    private void shift() {
        values[0] = values[1];
        rounds[0] = rounds[1];
        values[1] = values[2];
        rounds[1] = rounds[2];
    }

    /** This value is the best of everything from place {@code from} on. */
    private void set(int from, long value, long round) {
        for (int i = from; i < values.length; i++) {
            values[i] = value;
            rounds[i] = round;
        }
    }
}
