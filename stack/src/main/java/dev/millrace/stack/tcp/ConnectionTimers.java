package dev.millrace.stack.tcp;

import dev.millrace.stack.time.TimerWheel;
import java.util.Arrays;

/**
 * The deadlines of one connection behind a single timer of the wheel. The wheel is armed for the earliest deadline known when it was
 * armed; deadlines that move later or vanish, as the retransmission timer's does with every ACK, cost a store and no more: the wheel
 * then fires early, finds nothing due, and is armed again. Core thread only.
 */
final class ConnectionTimers implements TimerWheel.Timer {
    static final int RETRANSMIT = 0;
    static final int DELAYED_ACK = 1;
    static final int PERSIST = 2;
    static final int KEEPALIVE = 3;
    /** Ends a state that must not last: FIN-WAIT-2 after close. */
    static final int LIFETIME = 4;
    /** Gives memory of buffers back that the application has emptied meanwhile. */
    static final int TRIM = 5;

    /** Segments may leave that pacing has held back. */
    static final int PACING = 6;

    /** Tail loss probe; takes the retransmission timer's place while it is set (RFC 8985 §7.2). */
    static final int LOSS_PROBE = 7;
    /** RACK's reordering timer (RFC 8985 §6.2). */
    static final int REORDER = 8;

    private static final int KINDS = 9;
    private static final long NEVER = Long.MAX_VALUE;

    private final TcpConnection connection;
    private final TimerWheel wheel;
    private final long[] deadlinesNs = new long[KINDS];
    private long armedNs = NEVER;
    private long wheelId = TimerWheel.NONE;
    private boolean firing;

    ConnectionTimers(TcpConnection connection, TimerWheel wheel) {
        this.connection = connection;
        this.wheel = wheel;
        Arrays.fill(deadlinesNs, NEVER);
    }

    void set(int kind, long deadlineNs) {
        deadlinesNs[kind] = deadlineNs;
        if (deadlineNs < armedNs && !firing) {
            arm(deadlineNs);
        }
    }

    void clear(int kind) {
        deadlinesNs[kind] = NEVER;
    }

    boolean isSet(int kind) {
        return deadlinesNs[kind] != NEVER;
    }

    /** Long.MAX_VALUE when not set. */
    long deadlineNs(int kind) {
        return deadlinesNs[kind];
    }

    /** Whether the wheel knows of this connection. */
    boolean isArmed() {
        return wheelId != TimerWheel.NONE;
    }

    void checkInvariants() {
        for (int kind = 0; kind < KINDS; kind++) {
            assert deadlinesNs[kind] >= armedNs : "timer " + kind + " is due before the wheel fires";
        }
        assert armedNs == NEVER || isArmed() : "armed, and not on the wheel";
    }

    void clearAll() {
        Arrays.fill(deadlinesNs, NEVER);
        disarm();
    }

    @Override
    public void onTimer(long nowNs) {
        wheelId = TimerWheel.NONE;
        armedNs = NEVER;
        firing = true;
        for (int kind = 0; kind < KINDS; kind++) {
            if (deadlinesNs[kind] <= nowNs) {
                deadlinesNs[kind] = NEVER;
                connection.onTimer(kind, nowNs);
            }
        }
        firing = false;
        armForEarliest();
    }

    private void armForEarliest() {
        long earliest = NEVER;
        for (long deadlineNs : deadlinesNs) {
            earliest = Math.min(earliest, deadlineNs);
        }
        if (earliest != NEVER) {
            arm(earliest);
        }
    }

    private void arm(long deadlineNs) {
        disarm();
        armedNs = deadlineNs;
        wheelId = wheel.schedule(this, deadlineNs);
    }

    private void disarm() {
        if (wheelId != TimerWheel.NONE) {
            wheel.cancel(wheelId);
            wheelId = TimerWheel.NONE;
            armedNs = NEVER;
        }
    }
}
