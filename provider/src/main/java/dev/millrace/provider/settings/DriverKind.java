package dev.millrace.provider.settings;

import java.util.Locale;

/** Who runs the stack's cores. */
public enum DriverKind {
    /** Whichever thread is waiting for I/O. */
    INLINE,
    /** A thread of its own for each core. */
    DEDICATED;

    /** As the user writes it. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
