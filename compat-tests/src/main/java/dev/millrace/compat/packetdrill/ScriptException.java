package dev.millrace.compat.packetdrill;

/** A script cannot be read, or what it expects did not happen; the message says what was expected and what there was. */
final class ScriptException extends RuntimeException {
    private static final long serialVersionUID = 1;

    ScriptException(String message) {
        super(message);
    }
}
