package dev.millrace.compat.packetdrill;

/** A script uses something that the runner or the stack does not have; it is named and the script is skipped, never passed. */
final class UnsupportedConstructException extends RuntimeException {
    private static final long serialVersionUID = 1;

    UnsupportedConstructException(String construct) {
        super(construct);
    }
}
