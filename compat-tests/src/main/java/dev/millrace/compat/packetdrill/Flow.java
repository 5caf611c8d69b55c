package dev.millrace.compat.packetdrill;

import java.util.HashMap;
import java.util.Map;

/**
 * One connection as the script speaks of it: which ports it has, and how the script's numbers relate to the wire's. A script writes the numbers
 * of SYNs in full and those of other segments from the SYN of their stream on. The remote host's numbers are the script's own; the stack's begin
 * at an unpredictable number, and its timestamps as well. One thread.
 */
final class Flow {
    final int localPort;
    final int remotePort;

    private final Map<Integer, Integer> timestamps = new HashMap<>();
    /** The wire's number less that in the script's SYN, of the stack's stream. */
    private int offset;

    private boolean offsetKnown;
    /** What the script has in the stack's SYN. */
    private int localIsn;
    /** What the script has in the remote host's SYN. */
    private int remoteIsn;

    private boolean remoteSynTaken;
    private int firstScriptTimestamp;
    private int firstLiveTimestamp;

    Flow(int localPort, int remotePort) {
        this.localPort = localPort;
        this.remotePort = remotePort;
    }

    boolean owns(Segment segment) {
        return segment.localPort() == localPort && segment.remotePort() == remotePort;
    }

    /** The stack's SYN is this connection's, and not of a later one with its ports. */
    boolean beganWith(Segment syn) {
        return owns(syn) && (!offsetKnown || syn.sequence() == offset + localIsn);
    }

    /** The stack's SYN, which the script expects with this number. */
    void onSyn(int live, long script) {
        offset = live - (int) script;
        localIsn = (int) script;
        offsetKnown = true;
    }

    /** The remote host's SYN has this number; the first that the stack takes counts. */
    void onRemoteSyn(long script) {
        if (!remoteSynTaken) {
            remoteIsn = (int) script;
        }
    }

    /** The stack has acknowledged the remote host's SYN. */
    void onRemoteSynTaken() {
        remoteSynTaken = true;
    }

    boolean offsetKnown() {
        return offsetKnown;
    }

    /** The script's number for one of the stack's stream. */
    long toScript(int live, boolean inSyn) {
        return Integer.toUnsignedLong(live - offset - (inSyn ? 0 : localIsn));
    }

    /** The wire's number for the script's, of the stack's stream. */
    int toLive(long script, boolean inSyn) {
        return (int) script + offset + (inSyn ? 0 : localIsn);
    }

    /** The script's number for one of the remote host's stream. */
    long remoteToScript(int live, boolean inSyn) {
        return Integer.toUnsignedLong(live - (inSyn ? 0 : remoteIsn));
    }

    /** The wire's number for the script's, of the remote host's stream. */
    int remoteToLive(long script, boolean inSyn) {
        return (int) script + (inSyn ? 0 : remoteIsn);
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
