package dev.millrace.stack.tcp;

/** The states of RFC 9293 §3.3.2, with the transitions of its figure 5. */
public enum TcpState {
    LISTEN,
    SYN_SENT,
    SYN_RECEIVED,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    CLOSE_WAIT,
    CLOSING,
    LAST_ACK,
    TIME_WAIT,
    CLOSED;

    /** Whether figure 5, an RST, a timeout or an abort leads from this state to that one. */
    boolean mayBecome(TcpState next) {
        if (next == CLOSED) {
            return this != CLOSED;
        }
        return switch (this) {
            case CLOSED -> next == SYN_SENT || next == SYN_RECEIVED || next == LISTEN || next == ESTABLISHED;
            case LISTEN -> next == SYN_RECEIVED || next == SYN_SENT;
            case SYN_SENT -> next == ESTABLISHED || next == SYN_RECEIVED;
            case SYN_RECEIVED -> next == ESTABLISHED || next == FIN_WAIT_1 || next == CLOSE_WAIT;
            case ESTABLISHED -> next == FIN_WAIT_1 || next == CLOSE_WAIT;
            case FIN_WAIT_1 -> next == FIN_WAIT_2 || next == CLOSING;
            case FIN_WAIT_2, CLOSING -> next == TIME_WAIT;
            case CLOSE_WAIT -> next == LAST_ACK;
            case LAST_ACK, TIME_WAIT -> false;
        };
    }

    /** The peer's FIN has not been received, so its data is welcome (RFC 9293 §3.10.7.4, seventh). */
    boolean acceptsText() {
        return this == ESTABLISHED || this == FIN_WAIT_1 || this == FIN_WAIT_2;
    }

    /** Data, or a FIN, may be on its way to the peer: sending, retransmitting, probing. */
    boolean sendsText() {
        return this == ESTABLISHED || this == CLOSE_WAIT || this == FIN_WAIT_1 || this == CLOSING || this == LAST_ACK;
    }
}
