package dev.millrace.stack.fuzz;

import static dev.millrace.stack.fuzz.Wire.check;

/**
 * Frames into a stack that has a connection in any state of RFC 9293 as start, both families, every congestion control, with and without
 * ECN, Fast Open, MTU probing, cookies and a datagram socket, while its application reads, writes and closes, time passes, and packets run
 * out. No invariant breaks, every frame sent is well formed, and at the end nothing is left.
 *
 * <p>The input: {@link Wishes}, then operations of a kind byte and its arguments. Sequence numbers are relative to what the stack
 * has last told, so that most of what the fuzzer tries is near the edges that matter.
 */
public final class FrameTarget {
    /** One input's operations; each is bounded, so an input is. */
    private static final int MAX_OPERATIONS = 200;

    private FrameTarget() {}

    public static void fuzzerTestOneInput(byte[] input) {
        Program program = new Program(input);
        Wishes wishes = Wishes.of(program.unsignedByte(), program.unsignedByte());
        try (FuzzedStack host = new FuzzedStack(wishes::apply)) {
            Conversation conversation = new Conversation(host, wishes);
            conversation.begin();
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
            case 9 -> raw(conversation, host, program);
            case 10 -> conversation.icmpError(program.unsignedByte(), program.unsignedByte(), program.unsignedShort());
            default -> {
                int left = program.unsignedByte();
                host.port.queue(0).packetsLeft = left > 127 ? Integer.MAX_VALUE : left;
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
        byte[] options = options(conversation, program);
        int codepoint = bases >> 5 & 3;
        conversation.peerSends(flags, sequence, acknowledgment, window, options, payload, codepoint);
    }

    /** Any bytes; or what an honest peer sends; or SACK blocks of what the stack has in flight, or about; or the cookie it gave. */
    private static byte[] options(Conversation conversation, Program program) {
        int kind = program.unsignedByte();
        if (kind < 216) {
            return program.bytes(kind % 41);
        }
        if (kind < 224) {
            return conversation.optionsWithCookie();
        }
        if (kind < 240) {
            return conversation.options();
        }
        int[] before = new int[1 + kind % 3];
        int[] length = new int[before.length];
        for (int i = 0; i < before.length; i++) {
            before[i] = program.unsignedShort();
            length[i] = program.unsignedShort();
        }
        return conversation.optionsWithSack(before, length);
    }

    /** An Ethernet payload of any content; an IPv4 header's checksum is made right, to get further in. Or a datagram. */
    private static void raw(Conversation conversation, FuzzedStack host, Program program) {
        int kind = program.unsignedByte();
        byte[] payload = program.bytes(program.unsignedByte());
        check(payload.length < 256, "longer than asked for");
        if ((kind & 4) != 0) {
            conversation.peerSendsDatagram(kind >> 3, payload);
            return;
        }
        int type = switch (kind & 3) {
            case 0, 1 -> 0x0800;
            case 2 -> 0x86dd;
            default -> 0x0806;
        };
        host.receives(Wire.ethernet(type, type == 0x0800 ? Wire.withHeaderChecksum(payload) : payload));
    }
}
