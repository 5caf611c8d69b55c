package dev.millrace.stack.tcp;

import java.util.random.RandomGenerator;

/**
 * Local ports for active opens without a bound one, after RFC 6056 §3.3.4 (double-hash selection): a secret function of the
 * destination says where to begin and which counter goes on from there, so that nobody off the path can guess the next port, and ports to one destination
 * repeat as late as possible. Even ports first; binding to port 0 prefers odd ones. One per core; core thread only.
 */
final class EphemeralPorts {
    private static final int COUNTERS = 1024;
    private static final int HALF = PortTable.EPHEMERAL_PORTS / 2;

    private final PortTable ports;
    private final long key0;
    private final long key1;
    private final int[] counters = new int[COUNTERS];

    EphemeralPorts(PortTable ports, RandomGenerator random) {
        this.ports = ports;
        this.key0 = random.nextLong();
        this.key1 = random.nextLong();
        for (int i = 0; i < COUNTERS; i++) {
            counters[i] = random.nextInt(HALF);
        }
    }

    /**
     * A port that nobody has bound and that {@code chooser} accepts (it is on this shard, and the 4-tuple is free).
     *
     * @return 0 when there is none
     */
    int choose(long localHigh, long localLow, long remoteHigh, long remoteLow, int remotePort, PortChooser chooser) {
        long secret = SipHash.hash(key0, key1, 2, 4, 5, localHigh, localLow, remoteHigh, remoteLow, remotePort);
        int counter = (int) (secret >>> 32) & COUNTERS - 1;
        int start = Integer.remainderUnsigned((int) secret, HALF) + counters[counter];
        for (int i = 0; i < PortTable.EPHEMERAL_PORTS; i++) {
            int parity = i < HALF ? 0 : 1;
            int port = PortTable.FIRST_EPHEMERAL + (start + i) % HALF * 2 + parity;
            if (!ports.isReserved(port) && chooser.accepts(port)) {
                counters[counter] = (counters[counter] + i + 1) % HALF;
                return port;
            }
        }
        return 0;
    }
}
