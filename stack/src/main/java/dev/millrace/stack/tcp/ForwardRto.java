package dev.millrace.stack.tcp;

/**
 * Whether a timeout was spurious (F-RTO, RFC 5682 §3, in its form with SACK): it was when something that was sent only once, before it, arrives after it. To
 * see that, new data goes out first on the first acknowledgment that advances; so it works without SACK, too. Core thread only.
 */
final class ForwardRto {
    private boolean undecided;
    private boolean holdsRetransmissions;

    /** §2.1: a timeout, which tells nothing new inside another recovery. */
    void onTimeout(boolean insideRecovery) {
        undecided = !insideRecovery;
        holdsRetransmissions = false;
    }

    /** The loss was real, or all is over. */
    void decide() {
        undecided = false;
        holdsRetransmissions = false;
    }

    boolean isUndecided() {
        return undecided;
    }

    /** New data goes first, to find out (step 2b). */
    boolean holdsRetransmissions() {
        return holdsRetransmissions;
    }

    /** Another acknowledgment: what the one before asked for has been sent, or could not be. */
    void onAck() {
        holdsRetransmissions = false;
    }

    /** Step 2: the first acknowledgment after the timeout has advanced; {@code newDataWaits} and the peer's window takes some. */
    void onAdvanced(boolean newDataWaits) {
        holdsRetransmissions = newDataWaits;
        undecided = newDataWaits;
    }

    /** No new data could be sent after all. Answers true once, when that lets retransmissions go. */
    boolean release() {
        if (!holdsRetransmissions) {
            return false;
        }
        decide();
        return true;
    }
}
