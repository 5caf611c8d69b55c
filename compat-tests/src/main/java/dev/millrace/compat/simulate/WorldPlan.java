package dev.millrace.compat.simulate;

import dev.millrace.stack.tcp.TcpOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What will be in a world: drawn before anything runs, so that what runs does not shift what was drawn.
 *
 * @param delaysNs of each station's lines, the attacker's last
 * @param faultsNs when the last fault ends, after the start
 * @param faults how many things go wrong
 * @param crashes which hosts crash
 * @param spoofs segments forged, or replayed, into other people's connections
 * @param attacks connections of the hostile peer
 * @param strippedOptions kinds of TCP options that a middlebox removes from SYNs, a bit each
 */
record WorldPlan(
        List<HostPlan> hosts,
        List<Talk> talks,
        List<Inquiry> inquiries,
        List<Long> delaysNs,
        long faultsNs,
        int faults,
        List<Crash> crashes,
        int spoofs,
        int attacks,
        int strippedOptions) {

    private static final long MS = 1_000_000L;
    private static final long SECOND = 1_000 * MS;
    private static final int MAX_HOSTS = 6;

    /** Nothing may take so long that the kernel would have given a connection up: 8 retransmissions of an orphan take 102 s. */
    private static final long MAX_FAULTS_NS = 20 * SECOND;

    /** Shorter than FIN-WAIT-2 lasts, with the faults and the back-off after them. */
    private static final long MAX_RESTS_NS = 8 * SECOND;

    private static final long LINUX_MIN_RTO_NS = 200 * MS;
    /** Longer than any fault and the back-off after it. */
    private static final int HARMLESS_USER_TIMEOUT_MS = 120_000;

    private static final int HARMLESS_KEEP_COUNT = 100;

    /** A host is gone for a while. */
    record Crash(int host, long atNs, long untilNs) {}

    static WorldPlan draw(SplittableRandom random, long startNs) {
        int count = random.nextInt(3) > 0 ? 2 : 2 + random.nextInt(MAX_HOSTS - 1);
        List<HostPlan> hosts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            hosts.add(HostPlan.draw(random));
        }
        long faultsNs = random.nextInt(6) == 0 ? 0 : MS + random.nextLong(MAX_FAULTS_NS);
        List<Crash> crashes = new ArrayList<>();
        if (random.nextInt(5) == 0) {
            long at = random.nextLong(faultsNs + 1);
            crashes.add(new Crash(random.nextInt(count), startNs + at, startNs + at + random.nextLong(5 * SECOND)));
        }
        List<Long> delays = new ArrayList<>();
        long scale = 1_000L << random.nextInt(17);
        for (int i = 0; i <= count; i++) {
            delays.add(1 + random.nextLong(scale));
        }
        return new WorldPlan(
                hosts,
                talks(random, hosts, startNs, faultsNs, crashes),
                inquiries(random, hosts, startNs, faultsNs),
                delays,
                faultsNs,
                random.nextInt(10),
                crashes,
                random.nextInt(3) == 0 ? 1 + random.nextInt(100) : 0,
                random.nextInt(4) == 0 ? 1 + random.nextInt(8) : 0,
                random.nextInt(4) == 0 ? random.nextInt(16) : 0);
    }

    // ---- talks ----

    private static List<Talk> talks(
            SplittableRandom random, List<HostPlan> hosts, long startNs, long faultsNs, List<Crash> crashes) {
        boolean many = random.nextInt(8) == 0;
        int count = many ? 20 + random.nextInt(60) : 1 + random.nextInt(8);
        long spreadNs = 1 + random.nextLong(Math.max(SECOND, faultsNs));
        List<Talk> talks = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            int client = random.nextInt(hosts.size());
            int server = random.nextInt(20) == 0 ? client : random.nextInt(hosts.size());
            int listener = random.nextInt(HostPlan.LISTENERS);
            Talk talk = talk(random, number, client, server, listener, startNs + random.nextLong(spreadNs), many);
            talk.server.options = hosts.get(server).listeners().get(listener).options();
            talk.client.options = Talk.options(random);
            tame(random, talk, talk.client.options);
            if (random.nextInt(3) == 0) {
                talk.client.textWithSyn = 1 + random.nextInt(1 << 1 + random.nextInt(14));
            }
            manner(random, talk, talk.client, hosts.get(client));
            boolean lateNews = hosts.get(client).tcp().defersConnects()
                    || hosts.get(server).tcp().forgetsHandshakes();
            if (talk.client.end == Talk.End.CLOSE && lateNews) {
                talk.client.end = Talk.End.LINGER;
            }
            manner(random, talk, talk.server, hosts.get(server));
            for (Crash crash : crashes) {
                if ((crash.host() == client || crash.host() == server) && talk.startNs <= crash.untilNs()) {
                    talk.excuse("host " + crash.host() + " crashes");
                }
            }
            talks.add(talk);
        }
        return talks;
    }

    private static List<Inquiry> inquiries(SplittableRandom random, List<HostPlan> hosts, long startNs, long faultsNs) {
        int count = random.nextInt(3) == 0 ? 1 + random.nextInt(6) : 0;
        List<Inquiry> inquiries = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            inquiries.add(Inquiry.draw(random, number, hosts, startNs + random.nextLong(SECOND + faultsNs)));
        }
        return inquiries;
    }

    private static Talk talk(
            SplittableRandom random, int number, int client, int server, int listener, long atNs, boolean small) {
        int rounds = 1;
        int request = 1 + random.nextInt(1_000);
        int answer = 1 + random.nextInt(1_000);
        int bulk = 1 + random.nextInt(1 << 10 + random.nextInt(9));
        boolean duplex = false;
        switch (small ? 3 : random.nextInt(5)) {
            case 0 -> request = bulk;
            case 1 -> answer = bulk;
            case 2 -> {
                request = bulk;
                answer = 1 + random.nextInt(bulk);
                duplex = true;
            }
            case 3 -> {
                if (random.nextInt(4) == 0) {
                    answer = 0;
                }
            }
            default -> rounds = 1 + random.nextInt(20);
        }
        return new Talk(
                number,
                client,
                server,
                random.nextBoolean(),
                HostPlan.FIRST_PORT + listener,
                atNs,
                rounds,
                request,
                answer,
                duplex);
    }

    private static void manner(SplittableRandom random, Talk talk, Talk.Manner manner, HostPlan host) {
        Talk.End[] ends = Talk.End.values();
        manner.end = random.nextInt(12) == 0 ? Talk.End.ABORT : ends[random.nextInt(ends.length - 1)];
        if (manner.end == Talk.End.ABORT) {
            manner.abortAfterBytes = random.nextLong(1 + talk.requestTotal() + talk.answerTotal());
            talk.excuse("aborted");
        } else if (host.minRtoNs() < LINUX_MIN_RTO_NS) {
            manner.end = Talk.End.LINGER; // few and quick retransmissions are all that an orphan gets
        }
        long total = talk.requestTotal() + talk.answerTotal();
        if (random.nextInt(3) == 0) {
            manner.pieceBytes = 1 + random.nextInt(1 << random.nextInt(16));
            manner.pieceBytes = (int) Math.max(manner.pieceBytes, total / 300);
            manner.readRestNs =
                    random.nextInt(2) * rest(random, total, manner.pieceBytes, manner.options.receiveBufferBytes);
            manner.writeRestNs =
                    random.nextInt(2) * rest(random, total, manner.pieceBytes, manner.options.sendBufferBytes);
        }
        if (random.nextInt(6) == 0) {
            manner.deafNs = random.nextLong(3 * SECOND);
        }
    }

    /** Between two pieces, so that all of them take some seconds at most. */
    private static long rest(SplittableRandom random, long total, int pieceBytes, int bufferBytes) {
        int step = bufferBytes == 0 ? pieceBytes : Math.min(pieceBytes, bufferBytes);
        return random.nextLong(MAX_RESTS_NS / (1 + total / step));
    }

    /** Buffers that would take hours and timeouts that would strike in every fault are no use; some of the latter are left, as an excuse. */
    private static void tame(SplittableRandom random, Talk talk, TcpOptions options) {
        long total = talk.requestTotal() + talk.answerTotal();
        if (options.receiveBufferBytes > 0) {
            options.receiveBufferBytes = (int) Math.max(options.receiveBufferBytes, total / 200);
        }
        if (options.sendBufferBytes > 0) {
            options.sendBufferBytes = (int) Math.max(options.sendBufferBytes, total / 200);
        }
        boolean harmful = random.nextInt(4) == 0;
        if (options.keepAlive) {
            options.keepCount = harmful ? 1 + random.nextInt(4) : HARMLESS_KEEP_COUNT;
            if (harmful) {
                talk.excuse("keepalive");
            }
        }
        if (random.nextInt(10) == 0) {
            options.userTimeoutMs = harmful ? 1 + random.nextInt(10_000) : HARMLESS_USER_TIMEOUT_MS;
            if (harmful) {
                talk.excuse("user timeout");
            }
        }
    }
}
