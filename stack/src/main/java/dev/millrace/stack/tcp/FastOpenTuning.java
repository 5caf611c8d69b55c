package dev.millrace.stack.tcp;

/**
 * What may be set about Fast Open beside who uses it. Immutable.
 *
 * @param key0 first half of the key that makes a server's cookies, its octets read with the least significant first; both halves 0: a secret of
 *     this stack's, which changes every hour. Hosts behind one address need one key, as with Linux' tcp_fastopen_key
 * @param key1 second half
 * @param blackHolePauseNs how long no SYN carries the option after repeated timeouts, 0 for no such pause
 *     (tcp_fastopen_blackhole_timeout_sec)
 * @param refusalPauseNs how long SYNs to a server carry nothing after it has left data unacknowledged, or given no cookie (RFC 7413 §4.1.3.1); 0 as on
 *     Linux, where only losses count
 */
public record FastOpenTuning(long key0, long key1, long blackHolePauseNs, long refusalPauseNs) {
    /** A secret key, and a pause of an hour, as Linux. */
    public static final FastOpenTuning DEFAULT = new FastOpenTuning(0, 0, 3_600_000_000_000L, 0);

    boolean hasKey() {
        return (key0 | key1) != 0;
    }
}
