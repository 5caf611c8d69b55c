package dev.millrace.io.dpdk;

import dev.millrace.io.contract.TestFrames;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * A JVM with one end of a shared-memory link, which it loads as much as it can: {@code LinkEnd stay DEVICE} keeps its end until a line comes in;
 * {@code LinkEnd flap DEVICE TIMES} opens and closes it so many times, each time with traffic. Both print {@code traffic} when the first frame has arrived.
 */
final class LinkEnd {
    private static final int BURST = 32;
    private static final int TURNS = 1000;
    private static final long TRAFFIC_NS = TimeUnit.MILLISECONDS.toNanos(30);
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(20);
    private static final byte[] FRAME = TestFrames.largest(0, 1400, new SplittableRandom(0));

    private final RxQueue rx;
    private final TxQueue tx;
    private final Packet[] received = new Packet[BURST];
    private final Packet[] sending = new Packet[BURST];
    private long frames;

    private LinkEnd(Port port) {
        rx = port.rx(0);
        tx = port.tx(0);
    }

    public static void main(String[] args) throws IOException {
        switch (args[0]) {
            case "stay" -> stay(args[1]);
            case "flap" -> flap(args[1], Integer.parseInt(args[2]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static Port open(String device) throws LinkException {
        return new DpdkLinkFactory().open(device, new LinkOptions(1, 0, 0, DpdkLab.PACKETS, List.of()));
    }

    private static void stay(String device) throws IOException {
        try (Port port = open(device)) {
            System.out.println("open");
            LinkEnd end = new LinkEnd(port);
            while (System.in.available() == 0) {
                for (int i = 0; i < TURNS; i++) {
                    end.turn();
                }
            }
        }
        System.out.println("closed");
    }

    private static void flap(String device, int times) throws LinkException {
        for (int i = 0; i < times; i++) {
            try (Port port = open(device)) {
                LinkEnd end = new LinkEnd(port);
                long startNs = System.nanoTime();
                while (end.frames == 0 || System.nanoTime() - startNs < TRAFFIC_NS) {
                    end.turn();
                    if (System.nanoTime() - startNs > PATIENCE_NS) {
                        throw new AssertionError("no frame arrives, time " + i);
                    }
                }
            }
        }
        System.out.println("flapped");
    }

    /** Sends and receives a burst. */
    private void turn() {
        send();
        int count = rx.receive(received, BURST);
        rx.release(received, count);
        if (frames == 0 && count > 0) {
            System.out.println("traffic");
        }
        frames += count;
    }

    private void send() {
        int count = 0;
        while (count < BURST) {
            Packet packet = tx.allocate();
            if (packet == null) {
                break;
            }
            Memory.copy(FRAME, 0, packet.address, FRAME.length);
            packet.length = FRAME.length;
            sending[count++] = packet;
        }
        int sent = tx.transmit(sending, count);
        for (int i = sent; i < count; i++) {
            tx.release(sending[i]);
        }
    }
}
