package dev.millrace.stack.tcp;

/** Which of a connection's first segments with text are acknowledged at once, so that the peer's window opens quickly. */
public enum QuickAck {
    /** None but a FIN: the second full segment at the latest, others after the delay (RFC 9293 §3.8.6.3); FreeBSD's way. */
    NONE,
    /** Full ones: the peer has more to send and waits for its window. */
    FULL,
    /** Small ones, too, until the application has answered: Linux' way. */
    ALL
}
