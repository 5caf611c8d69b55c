package dev.millrace.compat.simulate;

/** Something on a {@link Host} that runs when a socket of its has called, or when its own time has come; as a selector would run it. */
abstract class Application {
    static final long NEVER = Long.MAX_VALUE;

    final Host host;
    /** Stands in its host's list of those to run. */
    boolean ready;
    /** It will do nothing any more. */
    boolean over;
    /** When to run whatever the socket says. */
    private long wakeNs = NEVER;

    Application(Host host) {
        this.host = host;
    }

    /** Does what can be done now. */
    abstract void run(long nowNs);

    /** The world ends, or the host has crashed: nothing more is expected. */
    abstract void giveUp(boolean hostLives);

    final void wakeAt(long atNs) {
        wakeNs = Math.min(wakeNs, atNs);
        host.wakesAt(wakeNs);
    }

    final void sleep() {
        wakeNs = NEVER;
    }

    final long wakeNs() {
        return wakeNs;
    }
}
