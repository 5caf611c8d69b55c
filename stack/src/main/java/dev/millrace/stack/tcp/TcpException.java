package dev.millrace.stack.tcp;

/** A set-up call was refused: bind, listen, connect. Never thrown on the hot path. */
public final class TcpException extends Exception {
    private static final long serialVersionUID = 1;

    private final TcpError error;

    public TcpException(TcpError error) {
        super(error.name());
        this.error = error;
    }

    public TcpError error() {
        return error;
    }
}
