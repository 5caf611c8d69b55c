package dev.millrace.stack.tcp;

/** One shard's TCP. */
public abstract class Tcp {
    /** The application has asked for something. */
    public abstract void attend(TcpConnection connection, long nowNs);
}
