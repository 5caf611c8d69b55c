package dev.millrace.stack.core;

/** Something a core shall do on its own thread; travels through the core's many-to-one command queue. */
@FunctionalInterface
public interface CoreCommand {
    void execute(long nowNs);
}
