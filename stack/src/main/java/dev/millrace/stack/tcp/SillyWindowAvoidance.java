package dev.millrace.stack.tcp;

/**
 * When new text is worth a segment, and when it is pushed: sender's silly window avoidance and Nagle's algorithm (RFC 9293 §3.8.6.2.1, §3.7.4), with what the
 * application has said about it: TCP_NODELAY, TCP_CORK, and that more follows. Core thread only.
 */
final class SillyWindowAvoidance {
    private final TcpConnection connection;
    private final Sender sender;

    // what the application wants
    private boolean noDelay;
    private boolean corked;
    /** What was written before TCP_NODELAY was set last goes, corked or not (as Linux). */
    private long pushedEnd;
    /** What does not fill a segment is not sent now: the application has said that more follows. */
    boolean moreFollows;

    // what was sent
    /** Nagle, Minshall's variant: end of the last segment sent that was not full. */
    private long smallSegmentEnd = -1;

    /** End of what went with our SYN; what of it goes again does so as one segment that is not small, as on Linux. */
    long synTextEnd;

    SillyWindowAvoidance(TcpConnection connection, Sender sender) {
        this.connection = connection;
        this.sender = sender;
    }

    void apply(TcpOptions options) {
        noDelay = options.noDelay;
        corked = options.cork;
        if (noDelay) {
            pushedEnd = sender.buffer.tailAcquire();
        }
    }

    /**
     * Whether the next bytes are to be sent; of Nagle's algorithm Minshall's modification: a small segment waits only for another small one. RFC 9293's fourth case,
     * the override, is the persist timer's.
     *
     * @param length so many
     * @param queued of so many that wait
     * @param limit payload of a full segment
     */
    boolean isWorthSending(int length, long queued, int limit) {
        if (length == 0) {
            return false;
        }
        if (length == limit || sender.nxt < synTextEnd) {
            return true;
        }
        if (length == queued) {
            boolean more = (corked || moreFollows) && sender.nxt + length > pushedEnd;
            boolean held = more || !noDelay && smallSegmentEnd > sender.una;
            return !held || connection.urgent.isUnacknowledged(sender.una);
        }
        return length >= sender.window.maxBytes / 2;
    }

    /** RFC 9293 §3.9.1, MUST-61; what goes again from the SYN as well, since Linux keeps its end. */
    boolean pushes(int length, long queued, boolean withFin) {
        boolean last = length == queued && (withFin || !connection.socket.moreFollows());
        return length > 0 && (last || sender.nxt + length == synTextEnd);
    }

    /** New text up to {@code to} has left. */
    void onSent(int length, int limit, long to) {
        if (length < limit && to > synTextEnd) {
            smallSegmentEnd = to;
        }
    }
}
