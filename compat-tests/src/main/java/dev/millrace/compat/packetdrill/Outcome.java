package dev.millrace.compat.packetdrill;

/**
 * How a system call ended.
 *
 * @param value what it returned; −1 with an error
 * @param errno the error's name, empty for none
 */
record Outcome(long value, String errno) {
    static final Outcome OK = new Outcome(0, "");

    static Outcome of(long value) {
        return new Outcome(value, "");
    }

    static Outcome error(String errno) {
        return new Outcome(-1, errno);
    }

    boolean failed() {
        return !errno.isEmpty();
    }

    @Override
    public String toString() {
        return failed() ? value + " " + errno : Long.toString(value);
    }
}
