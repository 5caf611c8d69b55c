package dev.millrace.stack.tcp;

/**
 * What has a 4-tuple and stands in a {@link FlowTable}: a connection, a half-open entry, a TIME-WAIT entry. Addresses are two longs each,
 * IPv4 in mapped form. Core thread only; the tuple itself never changes.
 */
abstract class Flow {
    final long localHigh;
    final long localLow;
    final long remoteHigh;
    final long remoteLow;
    final int localPort;
    final int remotePort;

    Flow(long localHigh, long localLow, int localPort, long remoteHigh, long remoteLow, int remotePort) {
        this.localHigh = localHigh;
        this.localLow = localLow;
        this.localPort = localPort;
        this.remoteHigh = remoteHigh;
        this.remoteLow = remoteLow;
        this.remotePort = remotePort;
    }

    final boolean matches(
            long otherLocalHigh,
            long otherLocalLow,
            int otherLocalPort,
            long otherRemoteHigh,
            long otherRemoteLow,
            int otherRemotePort) {
        return remotePort == otherRemotePort
                && localPort == otherLocalPort
                && remoteLow == otherRemoteLow
                && localLow == otherLocalLow
                && remoteHigh == otherRemoteHigh
                && localHigh == otherLocalHigh;
    }

    final boolean sameTuple(Flow other) {
        return matches(
                other.localHigh, other.localLow, other.localPort, other.remoteHigh, other.remoteLow, other.remotePort);
    }
}
