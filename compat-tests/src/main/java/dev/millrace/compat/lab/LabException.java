package dev.millrace.compat.lab;

/** A command of the lab failed, or a process did not do what was expected of it. The message holds what it printed. */
public final class LabException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public LabException(String message) {
        super(message);
    }

    public LabException(String message, Throwable cause) {
        super(message, cause);
    }
}
