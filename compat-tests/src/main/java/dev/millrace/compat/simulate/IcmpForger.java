package dev.millrace.compat.simulate;

import java.util.SplittableRandom;

/**
 * Forges ICMP errors about other people's connections (RFC 5927): about segments that are in flight, which only somebody on the path can
 * know, and about others. None may end a connection; those that ask for smaller segments may slow it down, and no further than to the floor.
 */
final class IcmpForger {
    private static final int FAR = 1 << 30;
    private static final int PACKET_TOO_BIG_V6 = 2;
    private static final int UNREACHABLE_V4 = 3;
    private static final int FRAGMENTATION_NEEDED = 4;

    /** Nothing, less than any, around what IPv4 and IPv6 hosts must take, around Ethernet's, the most that fits the field. */
    private static final int[] MTUS = {0, 1, 67, 68, 552, 576, 1279, 1280, 1499, 1500, 65_535};

    /** Types and codes that hosts know, and some that nobody does. */
    private static final int[][] ERRORS_V4 = {
        {3, 0}, {3, 1}, {3, 2}, {3, 3}, {3, 5}, {3, 13}, {4, 0}, {5, 1}, {11, 0}, {11, 1}, {12, 0}, {3, 200}, {44, 0}
    };

    private static final int[][] ERRORS_V6 = {
        {1, 0}, {1, 1}, {1, 3}, {1, 4}, {3, 0}, {3, 1}, {4, 0}, {4, 1}, {1, 99}, {100, 0}
    };

    private final SplittableRandom random;

    IcmpForger(SplittableRandom random) {
        this.random = random;
    }

    /** An error about a segment of that direction, to its sender. */
    byte[] forge(Wiretap.Direction direction) {
        boolean inFlight = random.nextBoolean();
        Segment segment = direction.next();
        segment.sequence = inFlight ? inFlight(direction) : direction.sentTo + FAR;
        byte[] quoted = segment.frame();
        boolean v4 = Frames.isV4(quoted);
        Wiretap.Direction reverse = direction.reverse;
        // before both have said ACK an error may mean that nobody is there, and ends the attempt (RFC 1122 §4.2.3.9)
        boolean synchronised = direction.synchronised && reverse != null && reverse.synchronised;
        if (!synchronised && inFlight || random.nextBoolean()) {
            int mtu = MTUS[random.nextInt(MTUS.length)];
            return v4
                    ? Frames.error(quoted, UNREACHABLE_V4, FRAGMENTATION_NEEDED, mtu)
                    : Frames.error(quoted, PACKET_TOO_BIG_V6, 0, mtu);
        }
        int[][] errors = v4 ? ERRORS_V4 : ERRORS_V6;
        int[] error = errors[random.nextInt(errors.length)];
        return Frames.error(quoted, error[0], error[1], random.nextInt());
    }

    private int inFlight(Wiretap.Direction direction) {
        Wiretap.Direction reverse = direction.reverse;
        int acknowledged = reverse == null ? direction.sentTo : reverse.acknowledged;
        int bytes = direction.sentTo - acknowledged;
        return bytes <= 0 ? direction.sentTo : acknowledged + random.nextInt(bytes);
    }
}
