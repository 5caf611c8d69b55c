package dev.millrace.compat.packetdrill;

import java.util.List;

/**
 * One event of a script.
 *
 * @param line where it stands, from 1
 */
record Event(int line, When when, Action action) {
    sealed interface Action {}

    /** A packet to inject, or to expect. */
    record PacketAction(boolean inbound, PacketSpec packet) implements Action {}

    /** An ICMP error to inject. */
    record IcmpAction(IcmpSpec message) implements Action {}

    /**
     * A system call.
     *
     * @param errno the error's name, empty when success is expected
     */
    record CallAction(String name, List<Value> arguments, Value result, String errno) implements Action {}

    /** {@code %{ … }%}: statements over TCP_INFO. */
    record CodeAction(String text) implements Action {}

    /** A shell command. */
    record CommandAction(String text) implements Action {}
}
