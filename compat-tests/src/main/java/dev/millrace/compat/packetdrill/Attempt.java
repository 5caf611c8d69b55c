package dev.millrace.compat.packetdrill;

import org.jspecify.annotations.Nullable;

/** A system call that has begun; asked again whenever something may have changed, until it ends. */
@FunctionalInterface
interface Attempt {
    /** The end, or null while the call would block. */
    @Nullable
    Outcome poll();

    /** One that has ended. */
    static Attempt done(Outcome outcome) {
        return () -> outcome;
    }
}
