package dev.millrace.stack.port;

import java.io.IOException;

/** A link could not be opened. The message is one line for the user: what failed, why, what to do. */
public final class LinkException extends IOException {
    private static final long serialVersionUID = 1;

    public LinkException(String message) {
        super(message);
    }

    public LinkException(String message, Throwable cause) {
        super(message, cause);
    }
}
