package dev.millrace.compat.e2e;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.millrace.compat.app.Arguments;
import dev.millrace.io.posix.Libc;
import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.wire.Checksum;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.NetworkInterface;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Sends SYNs from forged sources of 198.19.0.0/16 out of an interface, by a packet(7) socket, at a rate, for at least so
 * many seconds, then until a line comes on standard input, or so many seconds at most. {@code SynFlooder --interface i --mac own --to mac
 * --rate perSecond --least seconds --most seconds}. Prints how many it sent. The checksums are made as RFC 1071 says, from the sum over all that never changes.
 */
final class SynFlooder {
    private static final int AF_PACKET = 17;
    private static final int SOCK_RAW = 3;
    private static final int SOCKADDR_LL_BYTES = 20;
    private static final int ETHERNET = 14;
    private static final int TCP = ETHERNET + 20;
    private static final int BYTES = TCP + 40;
    private static final int FORGED_NET = 0xc613_0000;
    private static final int SERVER = 0xc612_0001;
    private static final int PORT = 8080;
    /** IPv4-mapped form. */
    private static final long MAPPED = 0xffff_0000_0000L;

    private static final long SECOND = 1_000_000_000L;

    /** Frames between two looks at the clock. */
    private static final int BURST = 16;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment state = Libc.callState(arena);
    private final MemorySegment frame = arena.allocate(BYTES, 8);
    private final SplittableRandom random = new SplittableRandom(1);
    private final ByteBuffer bytes;
    private final int fd;
    private volatile boolean told;

    private SynFlooder(String device, byte[] own, byte[] to) throws IOException {
        fd = Libc.socket(state, AF_PACKET, SOCK_RAW | Libc.SOCK_CLOEXEC, 0);
        MemorySegment address = arena.allocate(SOCKADDR_LL_BYTES, 4);
        address.set(JAVA_SHORT, 0, (short) AF_PACKET);
        address.set(JAVA_INT, 4, NetworkInterface.getByName(device).getIndex());
        int result = fd < 0 ? fd : Libc.bind(state, fd, address, SOCKADDR_LL_BYTES);
        if (result < 0) {
            throw new IOException("packet socket on " + device + ": " + Libc.strerror(-result));
        }
        bytes = frame.asByteBuffer();
        bytes.put(to).put(own).putShort((short) 0x0800);
        bytes.putInt(0x4500_0000 | BYTES - ETHERNET).putInt(0x0000_4000).putInt(0x4006_0000);
        bytes.putInt(FORGED_NET).putInt(SERVER);
        bytes.putShort((short) 0).putShort((short) PORT).putInt(0).putInt(0).putInt(10 << 28 | 2 << 16 | 0xffff);
        bytes.putInt(0)
                .putInt(0x0204_05b4)
                .putInt(0x0402_080a)
                .putInt(0)
                .putInt(0)
                .putInt(0x0103_0307);
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args, Set.of("interface", "mac", "to", "rate", "least", "most"));
        HexFormat colons = HexFormat.ofDelimiter(":");
        SynFlooder flooder = new SynFlooder(
                arguments.text("interface", "flood0"),
                colons.parseHex(arguments.text("mac", "")),
                colons.parseHex(arguments.text("to", "")));
        Thread.ofPlatform().daemon().start(flooder::awaitWord);
        flooder.flood(arguments.number("rate", 1), arguments.number("least", 1), arguments.number("most", 1));
    }

    private void awaitWord() {
        try {
            System.in.read();
        } catch (IOException e) {
            System.out.println("standard input: " + e.getMessage());
        }
        told = true;
    }

    private void flood(int perSecond, int least, int most) {
        System.out.println("FLOODING");
        long startNs = System.nanoTime();
        long sent = 0;
        long refused = 0;
        long elapsedNs = 0;
        while (elapsedNs < (told ? least : most) * SECOND) {
            if (sent * SECOND > elapsedNs * perSecond) {
                Thread.onSpinWait();
            } else {
                for (int i = 0; i < BURST; i++) {
                    if (send()) {
                        sent++;
                    } else {
                        refused++;
                    }
                }
            }
            elapsedNs = System.nanoTime() - startNs;
        }
        System.out.printf(
                Locale.ROOT,
                "SENT %d in %.1f s, %.0f a second, refused %d%n",
                sent,
                elapsedNs / 1e9,
                sent / (elapsedNs / 1e9),
                refused);
    }

    /** False when the interface takes no more. */
    private boolean send() {
        long bits = random.nextLong();
        bytes.putShort(ETHERNET + 14, (short) bits);
        bytes.putShort(TCP, (short) (bits >>> 16 | 1));
        bytes.putInt(TCP + 4, (int) (bits >>> 32));
        bytes.putInt(TCP + 24 + 4, (int) bits);
        bytes.putShort(ETHERNET + 10, (short) 0);
        bytes.putShort(TCP + 16, (short) 0);
        long address = frame.address();
        Memory.putShortNative(address + ETHERNET + 10, Checksum.finish(Checksum.add(0, address + ETHERNET, 20)));
        long source = FORGED_NET | bits & 0xffff;
        long pseudo =
                Checksum.pseudoHeader(0, MAPPED | source & 0xffff_ffffL, 0, MAPPED | SERVER & 0xffff_ffffL, 6, 40);
        Memory.putShortNative(address + TCP + 16, Checksum.finish(Checksum.add(pseudo, address + TCP, 40)));
        return Libc.write(state, fd, address, BYTES) == BYTES;
    }
}
