package dev.millrace.compat.contract;

/** The kinds of threads that an application blocks in a channel. */
enum ThreadKind {
    PLATFORM,
    VIRTUAL;

    Thread start(Runnable body) {
        return this == PLATFORM
                ? Thread.ofPlatform().daemon().start(body)
                : Thread.ofVirtual().start(body);
    }
}
