package dev.millrace.stack.tcp;

import dev.millrace.stack.time.TimerWheel;
import java.util.IdentityHashMap;

/**
 * What must hold of one shard's TCP between two turns, beyond what each connection asserts of itself: every flow is found where the table
 * looks for it, counts agree with what is there, nothing is left over from the turn. Linear in the flows, so for tests and the simulator
 * only. Core thread only; needs {@code -ea}.
 */
final class Invariants {
    private static final int EXPECTED_LISTENERS = 8;

    private final Tcp tcp;
    /** One count each, in an array so that it can be counted up where it stands. */
    private final IdentityHashMap<TcpListener, int[]> halfOpenOf = new IdentityHashMap<>(EXPECTED_LISTENERS);

    private int connections;
    private int halfOpen;
    private int timeWaits;
    private int armed;

    Invariants(Tcp tcp) {
        this.tcp = tcp;
    }

    void check() {
        tcp.flows.forEach(this::checkFlow);
        assert tcp.flows.size() == connections + halfOpen + timeWaits
                : tcp.flows.size() + " flows counted, " + (connections + halfOpen + timeWaits) + " found";
        assert tcp.liveConnections == connections + halfOpen
                : tcp.liveConnections + " live connections counted, " + (connections + halfOpen) + " found";
        assert tcp.timeWaits.size() == timeWaits
                : tcp.timeWaits.size() + " TIME-WAIT entries counted, " + timeWaits + " found";
        assert tcp.wheel.size() >= armed : tcp.wheel.size() + " timers on the wheel, " + armed + " armed";
        halfOpenOf.forEach((listener, found) -> {
            int counted = listener.halfOpen(tcp.config.shard());
            assert counted == found[0] : counted + " half-open connections counted, " + found[0] + " found";
        });
    }

    /** That nothing is left of any connection. */
    void checkQuiet() {
        check();
        assert tcp.flows.size() == 0 : "flows left: " + tcp.snapshot(0);
        assert tcp.wheel.size() == 0 : tcp.wheel.size() + " timers left without a flow";
        assert !tcp.hasBlocked() : "connections wait for packets and are gone";
    }

    private void checkFlow(Flow flow) {
        assert isFound(flow) : "the table has a flow that it does not find: " + flow;
        switch (flow) {
            case TcpConnection connection -> checkConnection(connection);
            case HalfOpen entry -> {
                halfOpen++;
                halfOpenOf.computeIfAbsent(entry.listener, _ -> new int[1])[0]++;
                assert entry.timerId != TimerWheel.NONE : "half open without a timer";
                armed++;
            }
            case TimeWait entry -> {
                timeWaits++;
                assert entry.expiresNs != Long.MAX_VALUE : "TIME-WAIT without an end";
            }
            default -> throw new AssertionError("flow " + flow);
        }
    }

    @SuppressWarnings("ReferenceEquality") // this very flow
    private boolean isFound(Flow flow) {
        return tcp.flows.lookup(
                        flow.localHigh, flow.localLow, flow.localPort, flow.remoteHigh, flow.remoteLow, flow.remotePort)
                == flow;
    }

    private void checkConnection(TcpConnection connection) {
        connections++;
        armed += connection.timers.isArmed() ? 1 : 0;
        try {
            connection.checkInvariants();
        } catch (AssertionError broken) {
            throw new AssertionError(connection + ": " + broken.getMessage(), broken);
        }
    }
}
