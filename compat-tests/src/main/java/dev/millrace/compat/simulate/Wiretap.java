package dev.millrace.compat.simulate;

import dev.millrace.stack.wire.IpAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Listens to everything that is sent and knows how far each direction of each connection has got. For attackers on the path. */
final class Wiretap implements Consumer<byte[]> {
    private static final int FRAMES_KEPT = 256;
    private static final int WATCHED = 64;

    private record Key(IpAddress source, int sourcePort, IpAddress destination, int destinationPort) {
        Key reversed() {
            return new Key(
                    /* source= */ destination,
                    /* sourcePort= */ destinationPort,
                    /* destination= */ source,
                    /* destinationPort= */ sourcePort);
        }
    }

    /** One direction of a connection, in the sender's sequence numbers. */
    static final class Direction {
        final IpAddress source;
        final IpAddress destination;
        final int sourcePort;
        final int destinationPort;
        final long sourceMac;
        final long destinationMac;
        /** Behind the last byte, SYN or FIN sent. */
        int sentTo;
        /** Behind the SYN. */
        int first;
        /** What this side has acknowledged of the other, and its last window and timestamps. */
        int acknowledged;

        int window;
        boolean hasTimestamps;
        int timestamp;
        int echo;
        boolean sackPermitted;
        boolean finSent;
        /** Has sent an ACK that is no SYN: its handshake is complete. */
        boolean synchronised;

        @Nullable
        Direction reverse;

        Direction(byte[] frame) {
            int at = Frames.transportAt(frame);
            source = Frames.source(frame);
            destination = Frames.destination(frame);
            sourcePort = Frames.u16(frame, at);
            destinationPort = Frames.u16(frame, at + 2);
            sourceMac = Frames.sourceMac(frame);
            destinationMac = Frames.destinationMac(frame);
        }

        /** A segment as this side could send it next, to be spoilt. */
        Segment next() {
            Segment segment = new Segment(source, sourceMac, sourcePort, destination, destinationMac, destinationPort);
            segment.sequence = sentTo;
            segment.acknowledgment = acknowledged;
            segment.flags = Segment.ACK;
            segment.window = window;
            if (hasTimestamps) {
                segment.options = Segment.timestamps(timestamp, echo);
            }
            return segment;
        }
    }

    private final Map<Key, Direction> directions = new HashMap<>();
    private final List<Direction> recent = new ArrayList<>();
    private final byte[][] frames = new byte[FRAMES_KEPT][];
    private int framesSeen;

    @Override
    public void accept(byte[] frame) {
        if (!Frames.isTcp(frame)) {
            return;
        }
        frames[framesSeen++ % FRAMES_KEPT] = frame;
        int at = Frames.transportAt(frame);
        int flags = frame[at + 13];
        Direction direction = direction(frame, at, (flags & Segment.SYN) != 0);
        if (direction == null || (flags & Segment.RST) != 0) {
            return;
        }
        int header = (frame[at + 12] >>> 4 & 0xf) * 4;
        int end = Frames.i32(frame, at + 4) + frame.length - at - header + (flags & Segment.FIN) + (flags >>> 1 & 1);
        direction.finSent |= (flags & Segment.FIN) != 0;
        if (end - direction.sentTo > 0) {
            direction.sentTo = end;
        }
        if ((flags & Segment.ACK) != 0) {
            direction.synchronised |= (flags & Segment.SYN) == 0;
            direction.acknowledged = Frames.i32(frame, at + 8);
            direction.window = Frames.u16(frame, at + 14);
        }
        readOptions(direction, frame, at + 20, Math.min(frame.length, at + header));
    }

    private @Nullable Direction direction(byte[] frame, int at, boolean syn) {
        Key key = new Key(
                Frames.source(frame), Frames.u16(frame, at), Frames.destination(frame), Frames.u16(frame, at + 2));
        Direction known = directions.get(key);
        int sequence = Frames.i32(frame, at + 4);
        if (!syn || known != null && known.first == sequence + 1) {
            return known;
        }
        Direction fresh = new Direction(frame);
        fresh.first = sequence + 1;
        fresh.sentTo = sequence + 1;
        Direction reverse = directions.get(key.reversed());
        if (reverse != null) {
            fresh.reverse = reverse;
            reverse.reverse = fresh;
        }
        directions.put(key, fresh);
        recent.add(fresh);
        if (recent.size() > WATCHED) {
            recent.removeFirst();
        }
        return fresh;
    }

    private static void readOptions(Direction direction, byte[] frame, int from, int end) {
        int at = from;
        while (at + 1 < end && frame[at] != 0) {
            if (frame[at] == 1) {
                at++;
                continue;
            }
            if (frame[at] == 8 && at + 10 <= end) {
                direction.hasTimestamps = true;
                direction.timestamp = Frames.i32(frame, at + 2);
                direction.echo = Frames.i32(frame, at + 6);
            } else if (frame[at] == 4) {
                direction.sackPermitted = true;
            }
            at += Math.max(2, frame[at + 1]);
        }
    }

    /** A direction whose reverse has been seen, too; null when there is none. */
    @Nullable
    Direction any(SplittableRandom random) {
        if (recent.isEmpty()) {
            return null;
        }
        Direction direction = recent.get(random.nextInt(recent.size()));
        return direction.reverse == null ? null : direction;
    }

    /** A frame that was sent not long ago, or null. */
    byte @Nullable [] anyFrame(SplittableRandom random) {
        return framesSeen == 0 ? null : frames[random.nextInt(Math.min(framesSeen, FRAMES_KEPT))];
    }
}
