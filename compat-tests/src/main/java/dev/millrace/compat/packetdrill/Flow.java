package dev.millrace.compat.packetdrill;

import java.util.HashMap;
import java.util.Map;

/**
 * One connection as the script speaks of it: which ports it has, and how the script's numbers relate to the wire's. The remote host's
 * sequence numbers are the script's own; the stack's begin at an unpredictable number, and its timestamps as well. One thread.
 */
final class Flow {
    final int localPort;
    final int remotePort;

    private final Map<Integer, Integer> timestamps = new HashMap<>();
    /** The wire's number less the script's, of the stack's stream. */
    private int offset;

    private boolean offsetKnown;
    private int firstScriptTimestamp;
    private int firstLiveTimestamp;

    Flow(int localPort, int remotePort) {
        this.localPort = localPort;
        this.remotePort = remotePort;
    }

    boolean owns(Segment segment) {
        return segment.localPort() == localPort && segment.remotePort() == remotePort;
    }

    /** The stack's SYN, which the script expects with this number. */
    void onSyn(int live, long script) {
        offset = live - (int) script;
        offsetKnown = true;
    }

    boolean offsetKnown() {
        return offsetKnown;
    }

    /** The script's number for one of the stack's stream. */
    long toScript(int live) {
        return Integer.toUnsignedLong(live - offset);
    }

    /** The wire's number for the script's. */
    int toLive(long script) {
        return (int) script + offset;
    }

    // ---- timestamps ----

    /** The stack sent this value where the script has that one. */
    void onTimestamp(int script, int live) {
        if (timestamps.isEmpty()) {
            firstScriptTimestamp = script;
            firstLiveTimestamp = live;
        }
        timestamps.put(script, live);
    }

    boolean hasTimestamps() {
        return !timestamps.isEmpty();
    }

    /** How far the stack's clock is ahead of the script's, in ticks, since the first timestamp. */
    int timestampError(int script, int live) {
        return (live - firstLiveTimestamp) - (script - firstScriptTimestamp);
    }

    /** What the remote host echoes: the value that stood for the script's, or one as far from the first as the script's is. */
    int echoToLive(int script) {
        Integer seen = timestamps.get(script);
        if (seen != null) {
            return seen;
        }
        return timestamps.isEmpty() ? script : firstLiveTimestamp + (script - firstScriptTimestamp);
    }
}
