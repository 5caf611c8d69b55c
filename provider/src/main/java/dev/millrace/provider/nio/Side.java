package dev.millrace.provider.nio;

/** The two directions of a channel; at most one thread operates on each. */
enum Side {
    INPUT,
    OUTPUT
}
