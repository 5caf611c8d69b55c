package dev.millrace.stack.tcp;

/**
 * What may be set about Fast Open beside who uses it. Immutable.
 *
 * @param key0 first half of the key that makes a server's cookies, its octets read with the least significant first; both halves 0: a secret of
 *     this stack's, which changes every hour. Hosts behind one address need one key, as with Linux' tcp_fastopen_key
 * @param key1 second half
 * @param blackHolePauseNs how long no SYN carries the option after repeated timeouts, 0 for no such pause
 *     (tcp_fastopen_blackhole_timeout_sec)
 */
public record FastOpenTuning(long key0, long key1, long blackHolePauseNs) {
    /** A secret key, and a pause of an hour. */
    public static final FastOpenTuning DEFAULT = new FastOpenTuning(0, 0, 3_600_000_000_000L);

    boolean hasKey() {
        return (key0 | key1) != 0;
    }
}
