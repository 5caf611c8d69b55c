package dev.millrace.stack.fuzz;

import static dev.millrace.stack.fuzz.Wire.check;

import dev.millrace.stack.tcp.TcpState;

/**
 * Frames into a stack that has a connection in any state of RFC 9293 as start, both families, while its application reads, writes and
 * closes, time passes, and packets run out. No invariant breaks, every frame sent is well formed, and at the end nothing is left.
 *
 * <p>The input: start state and family, then operations of a kind byte and its arguments. Sequence numbers are relative to what the stack
 * has last told, so that most of what the fuzzer tries is near the edges that matter.
 */
public final class FrameTarget {
    /** One input's operations; each is bounded, so an input is. */
    private static final int MAX_OPERATIONS = 200;

    private FrameTarget() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Program program = new Program(input);
        TcpState[] states = TcpState.values();
        TcpState start = states[program.unsignedByte() % states.length];
        int wishes = program.unsignedByte();
        try (FuzzedStack host = new FuzzedStack()) {
            Conversation conversation = new Conversation(host, (wishes & 1) != 0, (wishes & 2) != 0, (wishes & 4) != 0);
            conversation.bringTo(start);
            for (int i = 0; i < MAX_OPERATIONS && !program.isOver(); i++) {
                step(conversation, host, program);
            }
            conversation.end();
            host.expectNothingLeft();
        }
    }

    private static void step(Conversation conversation, FuzzedStack host, Program program) {
        switch (program.unsignedByte() % 12) {
            case 0, 1, 2, 3, 4 -> segment(conversation, program);
            case 5 -> host.after(program.unsignedShort() * FuzzedStack.MS);
            case 6 -> host.after(program.unsignedByte() * FuzzedStack.MS);
            case 7, 8 -> conversation.applicationCalls(program.unsignedByte(), program.unsignedShort());
            case 9 -> raw(host, program);
            case 10 -> conversation.icmpError(program.unsignedByte(), program.unsignedByte(), program.unsignedShort());
            default -> {
                int left = program.unsignedByte();
                host.port.packetsLeft = left > 127 ? Integer.MAX_VALUE : left;
                host.turn();
            }
        }
        conversation.readSent();
    }

    private static void segment(Conversation conversation, Program program) {
        int flags = program.unsignedByte();
        int bases = program.unsignedByte();
        int sequence = conversation.sequence(bases & 7) + program.signedByte();
        int acknowledgment = conversation.acknowledgment(bases >> 3 & 3) + program.signedByte();
        int window = program.unsignedShort();
        int payload = program.unsignedShort() % 1461;
        byte[] options = program.bytes(program.unsignedByte() % 41);
        conversation.peerSends(flags, sequence, acknowledgment, window, options, payload);
    }

    /** An Ethernet payload of any content; an IPv4 header's checksum is made right, to get further in. */
    private static void raw(FuzzedStack host, Program program) {
        int kind = program.unsignedByte();
        byte[] payload = program.bytes(program.unsignedByte());
        int type = switch (kind & 3) {
            case 0, 1 -> 0x0800;
            case 2 -> 0x86dd;
            default -> 0x0806;
        };
        check(payload.length < 256, "longer than asked for");
        host.receives(Wire.ethernet(type, type == 0x0800 ? Wire.withHeaderChecksum(payload) : payload));
    }
}
