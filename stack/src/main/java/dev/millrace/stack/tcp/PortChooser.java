package dev.millrace.stack.tcp;

/** Which local ports an active open may take, so that the answers reach the shard it is made on. */
@FunctionalInterface
public interface PortChooser {
    PortChooser ANY = localPort -> true;

    boolean accepts(int localPort);
}
