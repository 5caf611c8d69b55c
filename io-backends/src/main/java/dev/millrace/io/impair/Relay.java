package dev.millrace.io.impair;

import dev.millrace.io.tap.TapLinkFactory;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import org.jspecify.annotations.Nullable;

/**
 * Carries frames between two tap interfaces over one bad line, so that two kernels, or a kernel and Millrace, meet the same impairment: {@code java -cp millrace.jar
 * dev.millrace.io.impair.Relay tapA tapB loss=1%,delay=10ms}. It runs until it is killed. One thread.
 */
public final class Relay {
    private static final int BURST = 32;
    private static final long NAP_NS = 100_000; // a frame from the second interface waits at most so long

    private final Packet[] burst = new Packet[BURST];
    private final Packet[] one = new Packet[1];

    private Relay() {}

    public static void main(String[] args) throws LinkException {
        if (args.length != 3) {
            System.err.println("usage: Relay <tap interface> <tap interface> <impairment>");
            System.exit(2);
        }
        try (Port left = ImpairedPort.wrap(open(args[0]), args[2]);
                Port right = open(args[1])) {
            System.out.println("relaying");
            new Relay().run(left, right);
        }
    }

    private static Port open(String tap) throws LinkException {
        return new TapLinkFactory().open(tap, LinkOptions.defaults());
    }

    private void run(Port left, Port right) {
        while (!Thread.currentThread().isInterrupted()) {
            if (move(left.rx(0), right.tx(0)) + move(right.rx(0), left.tx(0)) == 0) {
                left.rx(0).await(NAP_NS);
            }
        }
    }

    private int move(RxQueue from, TxQueue to) {
        int count = from.receive(burst, BURST);
        for (int i = 0; i < count; i++) {
            send(burst[i], to.allocate(), to);
        }
        from.release(burst, count);
        return count;
    }

    /** A frame that finds no room is lost, as on any relay. */
    private void send(Packet frame, @Nullable Packet copy, TxQueue to) {
        if (copy == null) {
            return;
        }
        Memory.copy(frame.address, copy.address, frame.length);
        copy.length = frame.length;
        one[0] = copy;
        if (to.transmit(one, 1) == 0) {
            to.release(copy);
        }
    }
}
