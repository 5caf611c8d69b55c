package dev.millrace.benchmarks.jmh;

import dev.millrace.stack.time.TimerWheel;
import java.util.concurrent.TimeUnit;
import org.agrona.DeadlineTimerWheel;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * What do 10,000 timers cost each when they fall on one tick, which peers can bring about (a flood of SYNs), on our wheel and on Agrona's
 * {@link DeadlineTimerWheel}? And what when they are spread over 250 ticks?
 *
 * <p>One operation is one timer: scheduled and fired, or scheduled and cancelled in the order of scheduling, as when the peers answer. Both wheels have
 * ticks of 2¹⁷ ns and have grown before the measurement; Agrona's, of 256 ticks, then holds 16,384 slots of 8 bytes for each tick, 32 MiB.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@SuppressWarnings("NullAway.Init") // JMH calls open before anything else
public class TimersOnOneTick {
    private static final int TIMERS = 10_000;
    private static final long TICK_NS = 1L << TimerWheel.TICK_SHIFT;
    private static final int AGRONA_TICKS = 256;

    @Param({"1", "250"})
    private int ticks;

    private long nowNs;
    private int fired;
    private long[] ids;
    private TimerWheel own;
    private DeadlineTimerWheel agrona;
    private final TimerWheel.Timer onOwnTimer = now -> fired++;
    private final DeadlineTimerWheel.TimerHandler onAgronaTimer = (unit, now, id) -> ++fired > 0;

    @Setup(Level.Trial)
    public void open() {
        nowNs = 0;
        ids = new long[TIMERS];
        own = new TimerWheel();
        own.poll(nowNs);
        agrona = new DeadlineTimerWheel(TimeUnit.NANOSECONDS, nowNs, TICK_NS, AGRONA_TICKS);
    }

    @Benchmark
    @OperationsPerInvocation(TIMERS)
    public int ownFired() {
        scheduleOwn();
        advance();
        while (fired < TIMERS) {
            own.poll(nowNs);
        }
        return fired;
    }

    @Benchmark
    @OperationsPerInvocation(TIMERS)
    public int agronaFired() {
        scheduleAgrona();
        advance();
        while (fired < TIMERS) {
            agrona.poll(nowNs, onAgronaTimer, TimerWheel.MAX_FIRED_PER_POLL);
        }
        return fired;
    }

    @Benchmark
    @OperationsPerInvocation(TIMERS)
    public int ownCancelled() {
        scheduleOwn();
        for (long id : ids) {
            own.cancel(id);
        }
        return own.size();
    }

    @Benchmark
    @OperationsPerInvocation(TIMERS)
    public long agronaCancelled() {
        scheduleAgrona();
        for (long id : ids) {
            agrona.cancelTimer(id);
        }
        return agrona.timerCount();
    }

    private void scheduleOwn() {
        for (int i = 0; i < TIMERS; i++) {
            ids[i] = own.schedule(onOwnTimer, deadline(i));
        }
    }

    private void scheduleAgrona() {
        for (int i = 0; i < TIMERS; i++) {
            ids[i] = agrona.scheduleTimer(deadline(i));
        }
    }

    private long deadline(int timer) {
        return nowNs + (1L + timer % ticks) * TICK_NS;
    }

    private void advance() {
        fired = 0;
        nowNs += (ticks + 1L) * TICK_NS;
    }
}
