package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.TcpInfo;
import dev.millrace.stack.tcp.TcpMetric;
import dev.millrace.stack.tcp.TcpMetrics;
import dev.millrace.stack.wire.TcpSegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Plays one script: lets the virtual clock run to each event, does what it says, and compares. The first difference ends it. One thread;
 * an instance plays once.
 */
final class ScriptRun implements AutoCloseable {
    /** Virtual time after which a call that the script does not let block counts as stuck. */
    private static final long STUCK_NS = 600_000_000_000L;

    /** What fits into an IP packet, as one that an interface has joined (GRO); a payload of more comes in several segments, at the same moment. */
    private static final int MAX_INBOUND_BYTES = 65_000;

    /** No window is larger. */
    private static final int MAX_PAYLOAD_BYTES = 1 << 24;

    private static final int ONLY_ON_LAST = TcpSegment.PSH | TcpSegment.FIN;
    private static final int FIRST_REMOTE_PORT = 41_000;
    private static final int COOKIE_PORT = 40_999;

    private final Settings settings;
    private final ShellCommands shell;
    private final Statements statements = new Statements(this::named);
    private final List<Flow> flows = new ArrayList<>();
    private @Nullable World world;
    private @Nullable Calls calls;
    private @Nullable Flow current;
    private @Nullable Blocked blocked;
    private long lastEventNs;
    private int nextRemotePort = FIRST_REMOTE_PORT;
    /** Active opens whose SYN the script has seen. */
    private int opensSeen;

    /** A blocking call that is under way. */
    private record Blocked(Event event, Event.CallAction call, Attempt attempt, long untilNs) {}

    /** The world, once there is one. */
    private final class Kernel implements ShellCommands.Kernel {
        @Override
        public void checkCounted(String name) {
            world().checkCounted(name);
        }

        @Override
        public void forgetServers() {
            World there = world;
            if (there != null) {
                there.core().forgetServers();
            }
        }
    }

    private static final ShellCommands.Kernel NOTHING_RUNS = new ShellCommands.Kernel() {
        @Override
        public void checkCounted(String name) {
            World.counter(name);
        }

        @Override
        public void forgetServers() {}
    };

    ScriptRun(Settings settings) {
        this.settings = settings;
        this.shell = new ShellCommands(settings, new Kernel());
    }

    /**
     * @throws ScriptException what differs, with the line
     * @throws UnsupportedConstructException what there is not, with the line
     */
    void play(Script script) {
        script.options().forEach(settings::option);
        rehearseCommands(script);
        for (Event event : script.events()) {
            at(event, () -> play(event, script));
        }
        Blocked last = blocked;
        if (last != null) {
            at(last.event(), this::awaitBlocked);
        }
    }

    /** A script with a command that cannot be run here is not begun: unsupported, whatever would differ before. */
    private void rehearseCommands(Script script) {
        Settings scratch = new Settings(settings.personality);
        scratch.directory = settings.directory;
        ShellCommands rehearsal = new ShellCommands(scratch, NOTHING_RUNS);
        boolean started = false;
        for (Event event : script.events()) {
            boolean late = started;
            if (event.action() instanceof Event.CommandAction command) {
                at(event, () -> {
                    if (!isAboutSockets(event, command, script)) {
                        rehearsal.run(command.text(), late);
                    }
                });
            } else {
                started = true;
            }
        }
    }

    private static void at(Event event, Runnable action) {
        try {
            action.run();
        } catch (ScriptException e) {
            throw new ScriptException(event.line() + ": " + e.getMessage());
        } catch (UnsupportedConstructException e) {
            throw new UnsupportedConstructException(event.line() + ": " + e.getMessage());
        }
    }

    private void play(Event event, Script script) {
        if (event.action() instanceof Event.CommandAction command && !isAboutSockets(event, command, script)) {
            if (world == null) {
                shell.run(command.text(), false);
                return;
            }
        }
        World there = world();
        When when = event.when();
        long base = when.kind() == When.Kind.RELATIVE ? lastEventNs : 0;
        long dueNs = base + when.fromNs();
        if (event.action() instanceof Event.PacketAction packet && !packet.inbound()) {
            lastEventNs = expect(packet.packet(), when, dueNs, base + when.toNs());
            return;
        }
        if (when.kind() == When.Kind.ANY) {
            dueNs = there.scriptNs();
        }
        runUntil(dueNs);
        lastEventNs = dueNs;
        switch (event.action()) {
            case Event.PacketAction packet -> inject(packet.packet());
            case Event.IcmpAction icmp -> inject(icmp.message());
            case Event.CallAction call -> call(event, call, base);
            case Event.CodeAction code -> statements.run(code.text());
            case Event.CommandAction command -> command(event, command, script);
        }
    }

    private void command(Event event, Event.CommandAction command, Script script) {
        World there = world();
        if (!isAboutSockets(event, command, script)) {
            shell.run(command.text(), true);
            there.reconfigure();
        } else if (SocketTable.isCount(command.text())) {
            there.settle();
            SocketTable.check(command.text(), there.connections());
        }
    }

    /**
     * A command that is not run as a shell's: one that counts connections, once it is time for it, and one at the end of a script that puts the
     * kernel back as it was, for the next script, which here has a stack of its own.
     */
    private static boolean isAboutSockets(Event event, Event.CommandAction command, Script script) {
        boolean last = script.events().stream()
                .filter(each -> each.line() > event.line())
                .noneMatch(each -> isLookedAt(each.action()));
        if (SocketTable.isDrop(command.text()) && !last) {
            throw new UnsupportedConstructException("`" + command.text() + "` before the end");
        }
        return SocketTable.isCount(command.text())
                || last && (SocketTable.isDrop(command.text()) || ShellCommands.isSysctl(command.text()));
    }

    private static boolean isLookedAt(Event.Action action) {
        boolean closes = action instanceof Event.CallAction call && call.name().equals("close");
        return !closes && !(action instanceof Event.CommandAction);
    }

    private World world() {
        World there = world;
        if (there == null) {
            there = new World(settings);
            world = there;
            calls = new Calls(there, settings);
        }
        return there;
    }

    private Calls calls() {
        world();
        Calls there = calls;
        assert there != null : "made with the world";
        return there;
    }

    // ---- time ----

    /** Lets time pass, during which a blocking call may come to its end. */
    private void runUntil(long scriptNs) {
        World there = world();
        there.settle();
        pollBlocked();
        while (there.step(scriptNs)) {
            there.settle();
            pollBlocked();
        }
    }

    private void pollBlocked() {
        Blocked waiting = blocked;
        if (waiting != null) {
            at(waiting.event(), () -> endIfDone(waiting));
        }
    }

    private void endIfDone(Blocked waiting) {
        Outcome outcome = waiting.attempt().poll();
        if (outcome != null) {
            blocked = null;
            long early = waiting.untilNs() - world().scriptNs();
            if (Math.abs(early) > settings.toleranceNs) {
                throw new ScriptException(waiting.call().name() + " ended at " + seconds(world().scriptNs())
                        + " s instead of " + seconds(waiting.untilNs()) + " s");
            }
            compare(waiting.call(), outcome);
        }
    }

    private void awaitBlocked() {
        Blocked waiting = blocked;
        if (waiting != null) {
            runUntil(Math.max(world().scriptNs(), waiting.untilNs() + settings.toleranceNs));
        }
        if (blocked != null) {
            throw new ScriptException(
                    blocked.call().name() + " has not ended at " + seconds(world().scriptNs()) + " s");
        }
    }

    static String seconds(long ns) {
        return String.format(java.util.Locale.ROOT, "%.6f", ns / 1e9);
    }

    // ---- calls ----

    private void call(Event event, Event.CallAction call, long base) {
        awaitBlocked();
        Attempt attempt = calls().begin(call);
        Outcome outcome = attempt.poll();
        world().settle();
        if (event.when().isBlocking()) {
            long untilNs = base + event.when().blockingUntilNs();
            if (outcome != null && untilNs - world().scriptNs() > settings.toleranceNs) {
                throw new ScriptException(call.name() + " did not block; it gave " + outcome);
            }
            if (outcome == null) {
                blocked = new Blocked(event, call, attempt, untilNs);
                return;
            }
        }
        compare(call, outcome != null ? outcome : await(call, attempt));
    }

    /** A call that the script lets take no time, in a process that would just wait for it. */
    private Outcome await(Event.CallAction call, Attempt attempt) {
        World there = world();
        long limit = there.scriptNs() + STUCK_NS;
        Outcome outcome = null;
        while (outcome == null && there.step(limit)) {
            there.settle();
            outcome = attempt.poll();
        }
        if (outcome == null) {
            throw new ScriptException(call.name() + " blocks for ever");
        }
        return outcome;
    }

    private static void compare(Event.CallAction call, Outcome outcome) {
        Outcome expected =
                Constants.isAny(call.result()) ? outcome : new Outcome(Constants.number(call.result()), call.errno());
        boolean sameError =
                call.errno().isEmpty() ? !outcome.failed() || expected.value() == -1 : same(expected, outcome);
        if (expected.value() != outcome.value() || !sameError) {
            throw new ScriptException(call.name() + ": expected " + expected + ", got " + outcome);
        }
    }

    private static boolean same(Outcome expected, Outcome outcome) {
        return expected.errno().equals(outcome.errno())
                || expected.errno().equals("EWOULDBLOCK") && outcome.errno().equals("EAGAIN");
    }

    // ---- packets in ----

    private void inject(PacketSpec packet) {
        Flow flow = flowFor(packet);
        boolean syn = packet.has(TcpSegment.SYN);
        if (syn && settings.personality == Personality.LINUX) { // FreeBSD's scripts go on from the SYN's number
            flow.onRemoteSyn(packet.sequence());
        }
        int sequence = flow.remoteToLive(packet.sequence(), syn);
        int acknowledgment = packet.has(TcpSegment.ACK) ? flow.toLive(packet.acknowledgment(), syn) : 0;
        List<TcpOption> options =
                packet.options().stream().map(each -> toLive(each, flow)).toList();
        if (packet.length() > MAX_PAYLOAD_BYTES) {
            throw new UnsupportedConstructException("a payload of " + packet.length() + " bytes from the peer");
        }
        byte[] payload = new byte[packet.length()];
        for (int i = 0; i < payload.length; i++) {
            payload[i] = (byte) (sequence + i);
        }
        List<byte[]> frames = new ArrayList<>();
        int from = 0;
        do {
            int to = Math.min(payload.length, from + MAX_INBOUND_BYTES);
            frames.add(world().frames
                    .segment(
                            Math.max(packet.ecn(), 0),
                            flow.remotePort,
                            flow.localPort,
                            sequence + from,
                            acknowledgment,
                            to < payload.length ? packet.flags() & ~ONLY_ON_LAST : packet.flags(),
                            packet.window() == PacketSpec.UNSPECIFIED ? 0 : packet.window(),
                            packet.urgentPointer(),
                            options,
                            Arrays.copyOfRange(payload, from, to)));
            from = to;
        } while (from < payload.length);
        world().inject(frames);
        pollBlocked();
    }

    /**
     * A SYN while something listens begins a connection of its own, from a port of its own; in FreeBSD's scripts only once the one before is
     * forgotten.
     */
    private Flow flowFor(PacketSpec packet) {
        boolean syn = packet.has(TcpSegment.SYN) && !packet.has(TcpSegment.ACK) && !packet.has(TcpSegment.RST);
        int listening = calls().listeningPort();
        Flow before = current;
        boolean goesOn = settings.personality == Personality.FREEBSD
                && before != null
                && world().info(before.localPort, before.remotePort) != null;
        if (syn && listening != 0 && !goesOn) {
            return begin(new Flow(listening, nextRemotePort++));
        }
        Flow there = current;
        // nothing of the script's has this connection: a stray segment to the usual port
        return there != null ? there : begin(new Flow(settings.bindPort, nextRemotePort++));
    }

    /** The cookie that the stack has given out, or gives out to a connection made and reset for that. */
    private byte[] stackCookie() {
        byte[] known = settings.stackCookie;
        if (known != null) {
            return known;
        }
        World there = world();
        Flow stranger = new Flow(calls().listeningPort(), COOKIE_PORT);
        List<TcpOption> request = List.of(
                TcpOption.of(TcpOption.NOP),
                TcpOption.of(TcpOption.NOP),
                new TcpOption(TcpOption.FAST_OPEN, new byte[0]));
        there.inject(segmentOf(stranger, TcpSegment.SYN, 0, request));
        Segment answer = there.sent.pollLast();
        byte[] cookie = answer == null || !stranger.owns(answer) ? null : cookieOf(answer);
        there.inject(segmentOf(stranger, TcpSegment.RST, 1, List.of()));
        if (cookie == null) {
            throw new ScriptException(
                    "the stack gives out no Fast Open cookie: TCP_FASTOPEN and tcp_fastopen's bit 2 are needed");
        }
        settings.stackCookie = cookie;
        return cookie;
    }

    private byte[] segmentOf(Flow flow, int flags, int sequence, List<TcpOption> options) {
        return world().frames
                .segment(0, flow.remotePort, flow.localPort, sequence, 0, flags, 65535, 0, options, new byte[0]);
    }

    private static byte @Nullable [] cookieOf(Segment segment) {
        for (TcpOption option : segment.options()) {
            if (option.kind() == TcpOption.FAST_OPEN && option.body().length > 0) {
                return option.body();
            }
        }
        return null;
    }

    private Flow begin(Flow flow) {
        flows.add(flow);
        current = flow;
        return flow;
    }

    private TcpOption toLive(TcpOption option, Flow flow) {
        if (option.isAnyTimestamp()) {
            throw new ScriptException("a timestamp to be sent must be a number");
        }
        if (option.isStackCookie()) {
            return option.withCookie(stackCookie());
        }
        return switch (option.kind()) {
            case TcpOption.TIMESTAMPS ->
                TcpOption.words(TcpOption.TIMESTAMPS, option.word(0), flow.echoToLive(option.word(1)));
            case TcpOption.SACK -> option.withWords(word -> flow.toLive(word, false));
            default -> option;
        };
    }

    private void inject(IcmpSpec message) {
        Flow flow = current;
        if (flow == null) {
            throw new ScriptException("an ICMP error without a connection that it could be about");
        }
        world().inject(world().frames
                .icmp(message, flow.localPort, flow.remotePort, flow.toLive(message.quotedSequence(), false), 0));
        pollBlocked();
    }

    // ---- packets out ----

    /** @return when the event happened, for those relative to it */
    private long expect(PacketSpec packet, When when, long fromNs, long toNs) {
        boolean any = when.kind() == When.Kind.ANY;
        long limit = any ? world().scriptNs() + STUCK_NS : toNs + settings.toleranceNs;
        Expectation expectation = null;
        while (true) {
            Segment segment = next(packet, limit);
            if (segment == null) {
                throw new ScriptException(
                        "nothing was sent until " + seconds(limit) + " s; expected " + Expectation.text(packet));
            }
            if (expectation == null) {
                expectation = new Expectation(packet, flow(), settings);
            }
            boolean whole = expectation.take(segment, unsentBytes() > 0);
            if (!any && (segment.sentNs() < fromNs - settings.toleranceNs || segment.sentNs() > limit)) {
                throw new ScriptException("sent at " + seconds(segment.sentNs()) + " s instead of " + seconds(fromNs)
                        + (when.isRange() ? " to " + seconds(toNs) : "") + " s: " + Expectation.text(segment, flow()));
            }
            if (whole) {
                return any || when.isRange() ? segment.sentNs() : fromNs;
            }
        }
    }

    private long unsentBytes() {
        Flow flow = flow();
        TcpInfo info = world().info(flow.localPort, flow.remotePort);
        return info == null ? 0 : info.metrics().get(TcpMetric.NOTSENT_BYTES);
    }

    private Flow flow() {
        Flow there = current;
        if (there == null) {
            throw new ScriptException("there is no connection yet");
        }
        return there;
    }

    /** The next segment of the connection that the script is about; those of others are not looked at. */
    private @Nullable Segment next(PacketSpec expected, long limitNs) {
        while (true) {
            Segment segment = poll(limitNs);
            if (segment == null) {
                return null;
            }
            boolean opens = segment.isSyn() && expected.has(TcpSegment.SYN) && !expected.has(TcpSegment.ACK);
            if (opens && flows.stream().noneMatch(each -> each.beganWith(segment))) {
                begin(new Flow(segment.localPort(), segment.remotePort()));
                opensSeen = calls().opens();
            }
            Flow flow = current;
            // once the script has called connect(), it is about that connection, and older ones may go on unnoticed
            if (flow != null && flow.owns(segment) && opensSeen == calls().opens()) {
                return segment;
            }
        }
    }

    private @Nullable Segment poll(long limitNs) {
        World there = world();
        there.settle();
        pollBlocked();
        while (there.sent.isEmpty() && there.step(limitNs)) {
            there.settle();
            pollBlocked();
        }
        return there.sent.poll();
    }

    // ---- assertions ----

    private @Nullable Long named(String name) {
        if (!name.startsWith("tcpi_")) {
            return null;
        }
        Flow flow = flow();
        TcpMetrics metrics = calls().metrics(flow.localPort, flow.remotePort);
        if (metrics == null) {
            throw new ScriptException("there is no connection to tell " + name + " of");
        }
        Long value = metrics.get(name);
        if (value == null) {
            throw new UnsupportedConstructException(name);
        }
        return value;
    }

    @Override
    public void close() {
        if (world != null) {
            world.close();
        }
    }
}
