package dev.millrace.io.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.io.contract.Lab;
import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.contract.TestFrames;
import dev.millrace.io.loop.LoopLinkFactory;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.LoopPort;
import dev.millrace.stack.port.Port;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What stands in the file, read by a parser of the test's own and by tshark. */
class CaptureFileTest {
    private static final int FRAMES = 200;
    private static final long FIRST_NS = 1_700_000_000_123_456_789L;

    @TempDir
    private Path directory;

    @Test
    void showsEveryFrameTwiceAsItWasWithDirectionAndTime() throws Exception {
        Path path = directory.resolve("a.pcapng");
        List<byte[]> sent = capture(path);
        List<Captured> records = parse(path);
        assertEquals(2 * FRAMES, records.size());
        for (int i = 0; i < FRAMES; i++) {
            Captured out = records.get(2 * i);
            Captured in = records.get(2 * i + 1);
            assertEquals(Pcapng.OUTBOUND, out.direction());
            assertEquals(Pcapng.INBOUND, in.direction());
            assertEquals(ByteBuffer.wrap(sent.get(i)), out.frame());
            assertEquals(ByteBuffer.wrap(sent.get(i)), in.frame());
            assertEquals(FIRST_NS + 2000L * i, out.timestampNs());
            assertEquals(FIRST_NS + 2000L * i + 1000, in.timestampNs());
        }
    }

    @Test
    void tsharkReadsIt() throws Exception {
        Path path = directory.resolve("b.pcapng");
        capture(path);
        if (!Files.isExecutable(Path.of("/usr/bin/tshark"))) {
            Lab.assumeRoot();
            throw new AssertionError("tshark is missing: apt install tshark");
        }
        Process tshark = new ProcessBuilder(
                        "tshark",
                        "-r",
                        path.toString(),
                        "-T",
                        "fields",
                        "-e",
                        "frame.len",
                        "-e",
                        "frame.time_epoch",
                        "-e",
                        "frame.packet_flags_direction")
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output = new String(tshark.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, tshark.waitFor());
        List<String> lines = output.lines().toList();
        assertEquals(2 * FRAMES, lines.size());
        assertTrue(lines.getFirst().contains("1700000000.123456789"), lines.getFirst());
    }

    @Test
    void aFrameThatWasNotAcceptedIsNotShown() throws Exception {
        Path path = directory.resolve("c.pcapng");
        Port loop = new LoopLinkFactory().open("", new LinkOptions(1, 1500, 0, 4, List.of()));
        try (CapturingPort port = new CapturingPort(loop, path, () -> 0)) {
            PortPeer peer = new PortPeer(port, 0);
            SplittableRandom random = new SplittableRandom(3);
            int accepted = 0;
            while (peer.offer(TestFrames.numbered(accepted, 100, random))) {
                accepted++;
            }
            assertEquals(4, accepted);
            assertEquals(0, port.lostFrames());
        }
        assertEquals(4, parse(path).size());
    }

    @Test
    void refusesAFullDisk() throws Exception {
        Assumptions.assumeTrue(Files.exists(Path.of("/dev/full")), "needs /dev/full");
        LinkException e = assertThrows(LinkException.class, () -> CapturingPort.wrap(loop(), Path.of("/dev/full")));
        assertTrue(e.getMessage().startsWith("capture=/dev/full: cannot be written"), e.getMessage());
    }

    @Test
    void saysWhyTheFileCannotBeWritten() {
        Path path = directory.resolve("no/such/directory/x.pcapng");
        LinkException e = assertThrows(LinkException.class, () -> CapturingPort.wrap(loop(), path));
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    }

    @Test
    void tooMuchForTheRingIsCountedAsLost() {
        try (RecordRing ring = new RecordRing(256)) {
            assertTrue(ring.hasRoom(256));
            ring.putInt(1);
            assertTrue(!ring.hasRoom(256));
            ring.commit(0);
            assertTrue(ring.hasRoom(256), "what was taken back still takes room");
        }
    }

    private static Port loop() throws LinkException {
        return new LoopLinkFactory().open("", new LinkOptions(1, LoopPort.DEFAULT_MTU, 0, 64, List.of()));
    }

    private static List<byte[]> capture(Path path) throws LinkException {
        AtomicLong clock = new AtomicLong(FIRST_NS);
        SplittableRandom random = new SplittableRandom(1);
        List<byte[]> sent = new ArrayList<>();
        try (Port port = new CapturingPort(loop(), path, () -> clock.getAndAdd(1000))) {
            PortPeer peer = new PortPeer(port, 0);
            for (int i = 0; i < FRAMES; i++) {
                byte[] frame = TestFrames.ofRandomLength(i, 1500, random);
                sent.add(frame);
                assertTrue(peer.offer(frame));
                assertTrue(Arrays.equals(frame, peer.poll()));
            }
        }
        return sent;
    }

    private record Captured(int direction, long timestampNs, ByteBuffer frame) {}

    private static List<Captured> parse(Path path) throws Exception {
        ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
        List<Captured> records = new ArrayList<>();
        while (in.hasRemaining()) {
            int start = in.position();
            int type = in.getInt();
            int length = in.getInt();
            assertEquals(0, length % 4);
            assertEquals(length, in.getInt(start + length - 4), "the lengths of a block differ");
            if (type == 6) {
                long time = (long) in.getInt(start + 12) << 32 | in.getInt(start + 16) & 0xffff_ffffL;
                byte[] frame = new byte[in.getInt(start + 20)];
                in.get(start + 28, frame);
                int direction = in.getInt(start + 28 + (frame.length + 3) / 4 * 4 + 4);
                records.add(new Captured(direction, time, ByteBuffer.wrap(frame)));
            }
            in.position(start + length);
        }
        return records;
    }
}
