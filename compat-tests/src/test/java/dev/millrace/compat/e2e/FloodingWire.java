package dev.millrace.compat.e2e;

import dev.millrace.compat.app.Arguments;
import dev.millrace.provider.Links;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkFactory;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import dev.millrace.stack.wire.Checksum;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A wire between a server's memif and a tap of the kernel's that carries the frames of both, and on the server's side SYNs from forged sources of
 * 198.19.0.0/16 besides: shared memory takes hundreds of thousands of them a second, which a tap does not. What the server answers to forged sources
 * ends here.
 *
 * <p>{@code FloodingWire --memif socket --tap name --rate perSecond}. Prints {@code READY}; a line on standard input begins the flood, the next one ends it and
 * prints how many were sent, the one after that ends the wire.
 */
final class FloodingWire {
    private static final int ETHERNET = 14;
    private static final int TCP = ETHERNET + 20;
    private static final int SYN_BYTES = TCP + 40;
    private static final int ETHERTYPE_IPV4 = 0x0800;
    private static final int FORGED_NET = 0xc613_0000;
    private static final int NET_MASK = 0xffff_0000;
    private static final int SERVER = 0xc612_0001;
    private static final int PORT = 8080;
    /** IPv4-mapped form. */
    private static final long MAPPED = 0xffff_0000_0000L;

    private static final long SECOND = 1_000_000_000L;
    private static final int BURST = 32;

    private enum Phase {
        QUIET,
        FLOODING,
        SILENT,
        OVER
    }

    private final Port memif;
    private final Port tap;
    private final int perSecond;
    private final Packet[] received = new Packet[BURST];
    private final Packet[] offered = new Packet[BURST];
    private final SplittableRandom random = new SplittableRandom(1);
    private volatile Phase phase = Phase.QUIET;

    /** Of the last frame that the server sent. */
    private long serverMac;

    private volatile long startNs;
    private long endNs;
    private long sent;
    private long swallowed;

    private FloodingWire(Port memif, Port tap, int perSecond) {
        this.memif = memif;
        this.tap = tap;
        this.perSecond = perSecond;
    }

    public static void main(String[] args) throws LinkException {
        Arguments arguments = Arguments.parse(args, Set.of("memif", "tap", "rate"));
        String device = "net_memif0,role=client,socket=" + arguments.text("memif", "") + ",socket-abstract=no";
        try (Port memif = open("dpdk", device);
                Port tap = open("tap", arguments.text("tap", ""))) {
            new FloodingWire(memif, tap, arguments.number("rate", 1)).run();
        }
    }

    private static Port open(String scheme, String argument) throws LinkException {
        LinkFactory factory = Links.factories().stream()
                .filter(each -> each.scheme().equals(scheme))
                .findFirst()
                .orElseThrow();
        return factory.open(argument, LinkOptions.defaults());
    }

    private void run() {
        Thread.ofPlatform().daemon().start(this::awaitWords);
        System.out.println("READY");
        while (phase != Phase.OVER) {
            int carried = carry(memif.rx(0), tap.tx(0), true) + carry(tap.rx(0), memif.tx(0), false);
            if (phase == Phase.FLOODING) {
                flood();
            } else if (sent > 0) {
                tell();
            } else if (carried == 0) {
                tap.rx(0).await(SECOND / 10_000);
            }
        }
    }

    private void awaitWords() {
        try (BufferedReader words = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (Phase next : new Phase[] {Phase.FLOODING, Phase.SILENT}) {
                if (words.readLine() == null) {
                    break;
                }
                if (next == Phase.FLOODING) {
                    startNs = System.nanoTime();
                }
                phase = next;
            }
            words.readLine();
        } catch (IOException e) {
            System.out.println("standard input: " + e.getMessage());
        }
        phase = Phase.OVER;
    }

    private void tell() {
        double seconds = (endNs - startNs) / 1e9;
        System.out.printf(
                Locale.ROOT,
                "SENT %d in %.1f s, %.0f a second; answers swallowed: %d%n",
                sent,
                seconds,
                sent / seconds,
                swallowed);
        sent = 0;
    }

    // ---- what passes ----

    private int carry(RxQueue from, TxQueue to, boolean fromServer) {
        int count = from.receive(received, BURST);
        int taken = 0;
        for (int i = 0; i < count; i++) {
            Packet frame = received[i];
            if (fromServer && isAnswerToForged(frame)) {
                swallowed++;
            } else {
                Packet copy = to.allocate();
                if (copy == null) {
                    break; // as a wire that is full
                }
                Memory.copy(frame.address, copy.address, frame.length);
                copy.length = frame.length;
                offered[taken++] = copy;
            }
        }
        from.release(received, count);
        offer(to, taken);
        return count;
    }

    private boolean isAnswerToForged(Packet frame) {
        serverMac =
                (Memory.getInt(frame.address + 6) & 0xffff_ffffL) << 16 | Memory.getUnsignedShort(frame.address + 10);
        return Memory.getUnsignedShort(frame.address + 12) == ETHERTYPE_IPV4
                && (Memory.getInt(frame.address + ETHERNET + 16) & NET_MASK) == FORGED_NET;
    }

    private static int transmitted(TxQueue to, Packet[] frames, int count) {
        int accepted = to.transmit(frames, count);
        for (int i = accepted; i < count; i++) {
            to.release(frames[i]);
        }
        return accepted;
    }

    private void offer(TxQueue to, int count) {
        if (count > 0) {
            transmitted(to, offered, count);
        }
    }

    // ---- the flood ----

    private void flood() {
        endNs = System.nanoTime();
        long due = (endNs - startNs) * perSecond / SECOND - sent;
        int count = 0;
        while (count < Math.min(due, BURST)) {
            Packet syn = memif.tx(0).allocate();
            if (syn == null) {
                break;
            }
            forge(syn);
            offered[count++] = syn;
        }
        if (count > 0) {
            sent += transmitted(memif.tx(0), offered, count);
        }
    }

    /** As a Linux client's SYN, from anywhere. */
    private void forge(Packet frame) {
        long at = frame.address;
        frame.length = SYN_BYTES;
        mac(at, serverMac);
        mac(at + 6, tap.mac());
        Memory.putShort(at + 12, ETHERTYPE_IPV4);
        long bits = random.nextLong();
        int source = FORGED_NET | (int) bits & 0xffff;
        Memory.putInt(at + ETHERNET, 0x4500_0000 | SYN_BYTES - ETHERNET);
        Memory.putInt(at + ETHERNET + 4, 0x0000_4000);
        Memory.putInt(at + ETHERNET + 8, 0x4006_0000);
        Memory.putInt(at + ETHERNET + 12, source);
        Memory.putInt(at + ETHERNET + 16, SERVER);
        Memory.putShortNative(at + ETHERNET + 10, Checksum.finish(Checksum.add(0, at + ETHERNET, 20)));
        Memory.putInt(at + TCP, ((int) (bits >>> 16) & 0xffff | 1) << 16 | PORT);
        Memory.putInt(at + TCP + 4, (int) (bits >>> 32));
        Memory.putInt(at + TCP + 8, 0);
        Memory.putInt(at + TCP + 12, 10 << 28 | 2 << 16 | 0xffff);
        Memory.putInt(at + TCP + 16, 0);
        Memory.putInt(at + TCP + 20, 0x0204_05b4);
        Memory.putInt(at + TCP + 24, 0x0402_080a);
        Memory.putInt(at + TCP + 28, (int) bits);
        Memory.putInt(at + TCP + 32, 0);
        Memory.putInt(at + TCP + 36, 0x0103_0307);
        long sum = Checksum.pseudoHeader(0, MAPPED | source & 0xffff_ffffL, 0, MAPPED | SERVER & 0xffff_ffffL, 6, 40);
        Memory.putShortNative(at + TCP + 16, Checksum.finish(Checksum.add(sum, at + TCP, 40)));
    }

    private static void mac(long at, long mac) {
        Memory.putShort(at, (int) (mac >>> 32));
        Memory.putInt(at + 2, (int) mac);
    }
}
