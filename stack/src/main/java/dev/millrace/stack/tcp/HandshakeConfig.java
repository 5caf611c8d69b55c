package dev.millrace.stack.tcp;

/**
 * Limits of passive opens on one shard. Immutable.
 *
 * @param maxHalfOpen entries of all listeners that wait for their final ACK
 * @param maxHalfOpenPerListener those of one listener (tcp_max_syn_backlog)
 * @param synCookies what happens to SYNs beyond these limits
 * @param fastOpen who uses Fast Open
 * @param fastOpenTuning how
 */
public record HandshakeConfig(
        int maxHalfOpen,
        int maxHalfOpenPerListener,
        SynCookieMode synCookies,
        FastOpenMode fastOpen,
        FastOpenTuning fastOpenTuning) {
    /** Cookies on overflow as Linux, which keeps 4096 entries per listener with 128 MiB of memory and more. */
    public static final HandshakeConfig DEFAULT =
            new HandshakeConfig(16_384, 4096, SynCookieMode.ON_OVERFLOW, FastOpenMode.CLIENT);

    /** With Fast Open as it is by default. */
    public HandshakeConfig(
            int maxHalfOpen, int maxHalfOpenPerListener, SynCookieMode synCookies, FastOpenMode fastOpen) {
        this(maxHalfOpen, maxHalfOpenPerListener, synCookies, fastOpen, FastOpenTuning.DEFAULT);
    }

    /** As this one, with another use of Fast Open. */
    public HandshakeConfig with(FastOpenMode mode) {
        return new HandshakeConfig(maxHalfOpen, maxHalfOpenPerListener, synCookies, mode, fastOpenTuning);
    }
}
