package dev.millrace.provider.routing;

/** Where a socket lives. */
public enum Route {
    /** On Millrace's own stack. */
    STACK,
    /** On the JDK's own provider, that is, the kernel. */
    KERNEL,
    /** A bind that is reachable both ways: a listener has an acceptor on each side; a client socket is decided by its connect. */
    BOTH
}
