package dev.millrace.compat.simulate;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Forges segments of other people's connections, with every field right but the one that the rule is about; nothing that it sends may harm
 * anybody. It knows more than an attacker off the path could: how far both sides are. Its frames arrive at once, so that what it
 * knows is still true when they are looked at.
 */
final class Spoofer {
    private static final int FAR = 1 << 30;

    private final World world;
    private final Wiretap wiretap;
    private final SplittableRandom random;
    private final IcmpForger icmp;

    Spoofer(World world, Wiretap wiretap, SplittableRandom random) {
        this.world = world;
        this.wiretap = wiretap;
        this.random = random;
        this.icmp = new IcmpForger(random);
    }

    void schedule() {
        for (int i = 0; i < world.plan.spoofs(); i++) {
            long atNs = world.nowNs() + random.nextLong(world.plan.faultsNs() + 1_000_000_000L);
            world.events.at(atNs, this::strike);
        }
    }

    private void strike() {
        if (random.nextInt(4) == 0) {
            byte[] old = wiretap.anyFrame(random);
            if (old != null) {
                world.tally.replayed++;
                deliver(old);
            }
            return;
        }
        Wiretap.Direction direction = wiretap.any(random);
        if (direction != null && random.nextInt(4) == 0) {
            world.tally.icmpForged++;
            deliver(icmp.forge(direction));
            return;
        }
        Segment segment = direction == null ? null : forge(direction);
        if (segment != null) {
            world.tally.forged++;
            deliver(segment.frame());
        }
    }

    private void deliver(byte[] frame) {
        int to = (int) (Frames.destinationMac(frame) - Network.mac(0));
        if (to >= 0 && to < world.network.stations()) {
            world.trace(-1, to, frame, "forged");
            world.network.deliver(to, frame);
        }
    }

    private @Nullable Segment forge(Wiretap.Direction direction) {
        Wiretap.Direction reverse = direction.reverse;
        if (reverse == null) {
            return null;
        }
        Segment segment = direction.next();
        return switch (random.nextInt(7)) {
            case 0 -> resetBeyond(segment);
            case 1 -> resetBefore(segment, reverse);
            case 2 -> syn(segment, direction, reverse);
            case 3 -> acknowledgmentOfNothing(segment);
            case 4 -> oldTextWithOtherBytes(segment, direction, reverse);
            case 5 -> sackOfNonsense(segment, reverse);
            default -> urgentOrStrangeFlags(segment, direction, reverse);
        };
    }

    /** In the window or behind it, and not at RCV.NXT (RFC 5961 §3.2). */
    private Segment resetBeyond(Segment segment) {
        segment.flags = Segment.RST | random.nextInt(2) * Segment.ACK;
        segment.sequence += 1 + random.nextInt(1 << 1 + random.nextInt(28));
        segment.acknowledgment += FAR;
        return segment;
    }

    private Segment resetBefore(Segment segment, Wiretap.Direction reverse) {
        segment.flags = Segment.RST | random.nextInt(2) * Segment.ACK;
        segment.sequence = reverse.acknowledged - 1 - random.nextInt(1 << 1 + random.nextInt(28));
        segment.acknowledgment += FAR;
        return segment;
    }

    /** RFC 5961 §4.2; none that could open a connection, by simultaneous open or after TIME-WAIT (RFC 6191): it would be right to. */
    private @Nullable Segment syn(Segment segment, Wiretap.Direction direction, Wiretap.Direction reverse) {
        if (direction.finSent || reverse.finSent || !reverse.synchronised) {
            return null;
        }
        segment.flags = Segment.SYN;
        segment.sequence = reverse.acknowledged - 1 - random.nextInt(FAR);
        return segment;
    }

    /** Text at its right place, with an acknowledgment of what was never sent, or of long ago (RFC 5961 §5.2). */
    private Segment acknowledgmentOfNothing(Segment segment) {
        segment.acknowledgment += random.nextBoolean() ? FAR : -FAR;
        segment.payload = garbage(1 + random.nextInt(100));
        segment.flags |= random.nextInt(3) == 0 ? Segment.FIN : 0;
        return segment;
    }

    /** What was delivered and acknowledged comes again with other bytes. */
    private @Nullable Segment oldTextWithOtherBytes(
            Segment segment, Wiretap.Direction direction, Wiretap.Direction reverse) {
        int delivered = reverse.acknowledged - direction.first;
        if (delivered <= 0) {
            return null;
        }
        int length = 1 + random.nextInt(Math.min(delivered, 1_000));
        segment.sequence = direction.first + random.nextInt(delivered - length + 1);
        segment.payload = garbage(length);
        return segment;
    }

    /** SACK blocks of bytes that were not received, not sent, or of the wrong way round: a receiver that lies, or reneges (RFC 2018 §8). */
    private @Nullable Segment sackOfNonsense(Segment segment, Wiretap.Direction reverse) {
        if (reverse.sentTo - segment.acknowledgment <= 0) {
            return null;
        }
        int[] edges = new int[2 + 2 * random.nextInt(3)];
        int inFlight = reverse.sentTo - segment.acknowledgment;
        for (int i = 0; i < edges.length; i++) {
            edges[i] = switch (random.nextInt(4)) {
                case 0 -> segment.acknowledgment + random.nextInt(inFlight + 1);
                case 1 -> reverse.sentTo + random.nextInt(1 << random.nextInt(30));
                case 2 -> segment.acknowledgment - random.nextInt(1 << random.nextInt(30));
                default -> random.nextInt();
            };
        }
        byte[] sack = Segment.sack(edges);
        byte[] all = Arrays.copyOf(segment.options, segment.options.length + sack.length);
        System.arraycopy(sack, 0, all, segment.options.length, sack.length);
        segment.options = all;
        return segment;
    }

    /** Old sequence numbers with flags that contradict each other: christmas trees, null segments, urgent pointers. */
    private Segment urgentOrStrangeFlags(Segment segment, Wiretap.Direction direction, Wiretap.Direction reverse) {
        segment.sequence = direction.finSent || reverse.finSent ? segment.sequence - FAR : reverse.acknowledged - 1;
        segment.flags = random.nextInt(256) & ~(Segment.SYN | Segment.RST) | (random.nextBoolean() ? 0x29 : 0);
        segment.urgent = random.nextInt(65_536);
        segment.acknowledgment += FAR;
        return segment;
    }

    private byte[] garbage(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }
}
