package dev.millrace.stack.tcp;

/** One connection. */
public abstract class TcpConnection implements TcpSocket {}
