package dev.millrace.compat.simulate;

import org.jspecify.annotations.Nullable;

/** Something happened in a world that may not happen. The message says what and when; the seed is the runner's to add. */
public final class WorldFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    WorldFailure(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
