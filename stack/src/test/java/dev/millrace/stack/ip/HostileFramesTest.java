package dev.millrace.stack.ip;

import static dev.millrace.stack.ip.Host.PEER4;
import static dev.millrace.stack.ip.Host.PEER6;
import static dev.millrace.stack.ip.Host.PEER_MAC;
import static dev.millrace.stack.ip.Host.V4;
import static dev.millrace.stack.ip.Host.V6;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.Rule;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.ArpPacket;
import dev.millrace.stack.wire.Ipv4Header;
import dev.millrace.stack.wire.NeighborMessage;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * Frames of any content are delivered, or dropped for exactly one reason; nothing throws, nothing leaks, and no byte behind the end of a
 * frame makes a difference. The last is seen with two hosts that get the same frames in differently filled memory.
 */
@Rule("tcp.md: bad IHL, data offset, lengths, checksum, IPv6 extension lengths, urgent pointer 0 or beyond the data")
class HostileFramesTest {
    private static final int FRAMES = 100_000;

    private static List<byte[]> seeds() {
        byte[] tcp4 = Frames.tcp(PEER4, V4, 1000, 80, 40);
        byte[] tcp6 = Frames.tcp(PEER6, V6, 1000, 80, 40);
        byte[] quoted4 = Arrays.copyOfRange(Frames.v4(V4, PEER4, 6, tcp4), Frames.IP, Frames.IP + 40);
        byte[] quoted6 = Arrays.copyOfRange(Frames.v6(V6, PEER6, 6, 64, tcp6), Frames.IP, Frames.IP + 60);
        byte[] options = {6, 0, 5, 2, 0, 0, 1, 0};
        return List.of(
                Frames.arp(ArpPacket.REQUEST, PEER_MAC, PEER4, 0, V4),
                Frames.arp(ArpPacket.REPLY, PEER_MAC, PEER4, Host.MAC, V4),
                Frames.v4(PEER4, V4, 6, tcp4),
                Frames.v4(PEER4, V4, 17, Frames.udp(PEER4, V4, new byte[20])),
                Frames.v4(PEER4, V4, 1, Frames.icmp(8, 0, 7, new byte[20])),
                Frames.v4(PEER4, V4, 1, Frames.icmp(3, 4, 1400, quoted4)),
                Frames.v4Fragment(PEER4, 5, 6, 0, true, Arrays.copyOf(tcp4, 40)),
                Frames.v4Fragment(PEER4, 5, 6, 40, false, Arrays.copyOfRange(tcp4, 40, 60)),
                Frames.v6(PEER6, V6, 6, 64, tcp6),
                Frames.v6(PEER6, V6, 0, 64, Frames.concat(options, tcp6)),
                Frames.v6(PEER6, V6, 60, 64, Frames.concat(options, tcp6)),
                Frames.v6(PEER6, V6, 17, 64, Frames.udp(PEER6, V6, new byte[20])),
                Frames.v6(PEER6, V6, 58, 64, Frames.icmp6(PEER6, V6, 128, 0, 7, new byte[20])),
                Frames.v6(PEER6, V6, 58, 64, Frames.icmp6(PEER6, V6, 2, 0, 1400, quoted6)),
                Frames.v6(PEER6, V6, 44, 64, Frames.concat(Frames.fragmentHeader(6, 0, true, 9), new byte[40])),
                Frames.v6(PEER6, V6, 44, 64, Frames.concat(Frames.fragmentHeader(6, 40, false, 9), new byte[20])),
                Frames.solicitation(PEER6, V6, PEER_MAC),
                Frames.advertisement(PEER6, V6, PEER6, NeighborMessage.SOLICITED, PEER_MAC));
    }

    /** Flips bits, sets odd values, cuts, extends; half of the time the checksums are made right again, to get further in. */
    private static byte[] mutate(byte[] seed, SplittableRandom random) {
        byte[] frame = seed.clone();
        int changes = random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            int from = random.nextInt(8) == 0 ? 0 : Frames.IP;
            int at = from + random.nextInt(frame.length - from);
            frame[at] = switch (random.nextInt(4)) {
                case 0 -> (byte) (frame[at] ^ 1 << random.nextInt(8));
                case 1 -> 0;
                case 2 -> (byte) 0xff;
                default -> (byte) random.nextInt(256);
            };
        }
        if (random.nextInt(4) == 0) {
            frame = Arrays.copyOf(frame, random.nextInt(frame.length + 1));
        } else if (random.nextInt(8) == 0) {
            frame = Arrays.copyOf(frame, frame.length + random.nextInt(64));
        }
        boolean header = frame.length >= Frames.V4_PAYLOAD && frame[12] == 8 && frame[13] == 0;
        if (header && random.nextBoolean()) {
            int bytes = (frame[Frames.IP] & 0xf) * 4;
            if (bytes >= Ipv4Header.MIN_BYTES && bytes <= frame.length - Frames.IP) {
                frame = Frames.patchV4(frame, at -> {});
            }
        }
        return frame;
    }

    @Rule(
            "tcp.md: bad IHL, data offset, lengths, checksum, IPv6 extension lengths, urgent pointer 0 or beyond the data")
    @Test
    void anyFrameIsDeliveredOrDroppedForOneReason() {
        long seed = Long.getLong("millrace.seed", 20_261_121L);
        SplittableRandom random = new SplittableRandom(seed);
        List<byte[]> seeds = seeds();
        try (Host host = Host.settled();
                Host twin = Host.settled()) {
            twin.surroundings = (byte) 0xff;
            for (int i = 0; i < FRAMES; i++) {
                byte[] frame = mutate(seeds.get(random.nextInt(seeds.size())), random);
                step(host, twin, frame, "frame " + i + ", replay with -Dmillrace.seed=" + seed);
                if (i % 64 == 0) {
                    host.runFor(Host.SECOND / 2);
                    twin.runFor(Host.SECOND / 2);
                }
            }
            assertTrue(host.segments.size() > FRAMES / 200, "hardly anything got through: " + host.segments.size());
            host.runFor(120 * Host.SECOND);
            assertEquals(0, host.port.packetsInUse(), "leaked packets, seed " + seed);
        }
    }

    private static void step(Host host, Host twin, byte[] frame, String where) {
        long before = host.drops() - fragmentDrops(host);
        long fragmentsBefore = fragmentDrops(host);
        host.port.sent.clear();
        twin.port.sent.clear();
        host.receives(frame);
        twin.receives(frame);
        long fragments = fragmentDrops(host) - fragmentsBefore; // one may take the earlier pieces of its packet with it
        long others = host.drops() - fragmentDrops(host) - before;
        assertTrue(others + Math.min(fragments, 1) <= 1, where + ": dropped for several reasons");
        assertEquals(twin.drops(), host.drops(), where + ": bytes behind the frame were read");
        assertEquals(twin.segments.size(), host.segments.size(), where);
        assertEquals(twin.errors, host.errors, where);
        assertEquals(twin.port.sent.size(), host.port.sent.size(), where);
        for (int i = 0; i < host.port.sent.size(); i++) {
            assertArrayEquals(twin.port.sent.get(i), host.port.sent.get(i), where);
        }
    }

    private static long fragmentDrops(Host host) {
        return host.count(Counter.DROP_FRAGMENT_OVERLAP)
                + host.count(Counter.DROP_FRAGMENT_BUDGET)
                + host.count(Counter.DROP_FRAGMENT_MALFORMED);
    }

    @Test
    void noiseIsDropped() {
        SplittableRandom random = new SplittableRandom(7);
        try (Host host = Host.settled()) {
            for (int i = 0; i < 20_000; i++) {
                byte[] frame = new byte[random.nextInt(200)];
                random.nextBytes(frame);
                long before = host.drops();
                host.receives(frame);
                assertEquals(1, host.drops() - before, "frame " + i);
            }
            assertEquals(List.of(), host.segments);
        }
    }
}
