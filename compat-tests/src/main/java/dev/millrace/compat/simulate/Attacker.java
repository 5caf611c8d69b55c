package dev.millrace.compat.simulate;

import dev.millrace.stack.wire.IpAddress;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A station with an address and no stack: it opens connections to the hosts and then breaks every rule on them; besides it sends frames of
 * noise. What it does to its own connections is its business; everybody else's must not notice.
 */
final class Attacker implements Network.Station {
    private static final IpAddress ADDRESS = IpAddress.v4(0xc6120064);
    private static final int TYPE_ARP = 0x0806;
    private static final int FIRST_PORT = 20_000;
    private static final int MAX_STROKES = 40;

    private final World world;
    private final SplittableRandom random;
    private final int station;
    private final Map<Integer, Victim> victims = new HashMap<>();
    private boolean active;

    /** One of its connections, as far as it bothers to know. */
    private static final class Victim {
        final Host host;
        final int port;
        final int localPort;
        int sendNext;
        int receiveNext;
        boolean open;

        Victim(Host host, int port, int localPort, int iss) {
            this.host = host;
            this.port = port;
            this.localPort = localPort;
            this.sendNext = iss;
        }
    }

    Attacker(World world, SplittableRandom random) {
        this.world = world;
        this.random = random;
        this.station = world.network.join(this);
    }

    void schedule(List<Host> hosts) {
        long endNs = world.nowNs() + world.plan.faultsNs();
        active = world.plan.attacks() > 0 && world.plan.faultsNs() > 0;
        if (!active) {
            return;
        }
        world.events.at(endNs, () -> active = false);
        for (int i = 0; i < world.plan.attacks(); i++) {
            Host host = hosts.get(random.nextInt(hosts.size()));
            Victim victim = new Victim(
                    host, HostPlan.FIRST_PORT + random.nextInt(HostPlan.LISTENERS), FIRST_PORT + i, random.nextInt());
            victims.put(victim.localPort, victim);
            world.events.at(world.nowNs() + random.nextLong(world.plan.faultsNs()), () -> open(victim));
        }
    }

    private void send(byte[] frame) {
        if (active) {
            world.tally.forged++;
            world.network.send(station, frame);
        }
    }

    private Segment segment(Victim victim) {
        Segment segment = new Segment(
                ADDRESS,
                Network.mac(station),
                victim.localPort,
                victim.host.v4,
                Network.mac(victim.host.station),
                victim.port);
        segment.sequence = victim.sendNext;
        segment.acknowledgment = victim.receiveNext;
        segment.flags = Segment.ACK;
        return segment;
    }

    private void open(Victim victim) {
        Segment syn = segment(victim);
        syn.flags = Segment.SYN;
        if (random.nextBoolean()) {
            syn.options =
                    new byte[] {2, 4, 0, (byte) random.nextInt(256), 4, 2, 3, 3, (byte) random.nextInt(20), 1, 1, 0};
        }
        syn.payload = random.nextInt(4) == 0 ? new byte[random.nextInt(100)] : syn.payload;
        victim.sendNext++;
        send(syn.frame());
        int strokes = random.nextInt(MAX_STROKES);
        for (int i = 0; i < strokes; i++) {
            world.events.at(
                    world.nowNs() + random.nextLong(1 + world.plan.faultsNs() / 2),
                    () -> send(
                            random.nextInt(6) == 0
                                    ? noise(victim)
                                    : stroke(victim).frame()));
        }
    }

    /** A segment near what would be right. */
    private Segment stroke(Victim victim) {
        Segment segment = segment(victim);
        segment.window = random.nextInt(3) == 0 ? 0 : random.nextInt(65_536);
        int near = random.nextInt(1 << random.nextInt(18));
        switch (random.nextInt(8)) {
            case 0 -> segment.sequence += near;
            case 1 -> segment.sequence -= near;
            case 2 -> segment.acknowledgment += near;
            case 3 -> segment.acknowledgment -= near;
            case 4 -> segment.flags = random.nextInt(256);
            case 5 ->
                segment.options = Segment.sack(
                        victim.receiveNext + near, victim.receiveNext - near, random.nextInt(), random.nextInt());
            case 6 -> segment.flags |= Segment.FIN;
            default -> {
                if (random.nextInt(3) == 0) {
                    victim.sendNext += near & 0x3ff; // as if it had been sent
                }
            }
        }
        if (random.nextBoolean()) {
            segment.payload = new byte[random.nextInt(1_400)];
            random.nextBytes(segment.payload);
        }
        return segment;
    }

    /** A frame for the victim with some bytes of an honest one changed, and no checksum made right. */
    private byte[] noise(Victim victim) {
        byte[] frame = stroke(victim).frame();
        for (int i = random.nextInt(8); i >= 0; i--) {
            frame[12 + random.nextInt(frame.length - 12)] = (byte) random.nextInt();
        }
        return random.nextInt(4) == 0 ? Arrays.copyOf(frame, 14 + random.nextInt(frame.length - 14)) : frame;
    }

    @Override
    public void onFrame(byte[] frame) {
        if (!active) {
            return;
        }
        if (Frames.type(frame) == TYPE_ARP) {
            onArp(frame);
        } else if (Frames.isTcp(frame) && Frames.isV4(frame)) {
            onTcp(frame, Frames.transportAt(frame));
        }
    }

    private void onArp(byte[] frame) {
        int arp = Frames.ETHERNET_BYTES;
        boolean request = Frames.u16(frame, arp + 6) == 1;
        if (request && Frames.i32(frame, arp + 24) == ADDRESS.v4Bits()) {
            byte[] reply = frame.clone();
            System.arraycopy(frame, 6, reply, 0, 6);
            Frames.put16(reply, 6, (int) (Network.mac(station) >>> 32));
            Frames.put32(reply, 8, (int) Network.mac(station));
            Frames.put16(reply, arp + 6, 2);
            System.arraycopy(reply, 6, reply, arp + 8, 6);
            Frames.put32(reply, arp + 14, ADDRESS.v4Bits());
            System.arraycopy(frame, arp + 8, reply, arp + 18, 10);
            send(reply);
        }
    }

    private void onTcp(byte[] frame, int at) {
        Victim victim = victims.get(Frames.u16(frame, at + 2));
        if (victim == null || (frame[at + 13] & Segment.RST) != 0) {
            return;
        }
        int header = (frame[at + 12] >>> 4 & 0xf) * 4;
        int end = Frames.i32(frame, at + 4)
                + frame.length
                - at
                - header
                + (frame[at + 13] >>> 1 & 1)
                + (frame[at + 13] & 1);
        if (!victim.open || random.nextInt(3) > 0) {
            victim.receiveNext = end;
        }
        if (!victim.open && (frame[at + 13] & (Segment.SYN | Segment.ACK)) == (Segment.SYN | Segment.ACK)) {
            victim.open = true;
            send(segment(victim).frame());
        } else if (random.nextInt(4) == 0) {
            send(stroke(victim).frame());
        }
    }
}
