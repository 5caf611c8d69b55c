package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ReceiveBuffer;
import dev.millrace.stack.memory.SendBuffer;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.TcpSegment;
import org.jspecify.annotations.Nullable;

/**
 * The core's half of one connection: its state, its timers, and what its parts do together. The application's half, and the only way from one to the
 * other, is {@link #socket}. Core thread only.
 */
public final class TcpConnection extends Flow {
    // immutable
    final Tcp tcp;
    final Path path;
    final ConnectionTimers timers;
    final Sender sender;
    final Receiver receiver;
    final Retries retries;
    final Ecn ecn;
    final UrgentData urgent = new UrgentData();
    final ConnectionTally tally = new ConnectionTally();
    final NotSentLimit notSent = new NotSentLimit();
    /** What the application holds. */
    final ConnectionSocket socket;

    final FastOpen fastOpen;
    private final TcpOptions options;

    int trafficClass;
    /** The peer's MSS option, from its SYN. */
    int peerMss;
    /** When our SYN went out first. */
    long synSentNs;
    /** Stands in the core's list of connections to finish at the end of the burst. */
    boolean touched;
    /** Stands in the core's list of connections that wait for packets. */
    boolean blocked;
    /** Closed by the application, and counted as such. */
    boolean orphan;

    // MemoryPressure's
    boolean awaitsMemory;
    boolean holdsMemory;

    @Nullable
    TcpConnection earlierHolder;

    @Nullable
    TcpConnection laterHolder;

    @Nullable
    LocalBinding binding;

    /** A soft ICMP error, reported if the connection then times out (RFC 5461). */
    TcpError softError = TcpError.NONE;

    private TcpState state = TcpState.CLOSED;
    private boolean readinessChanged;
    private long lastChallengeNs = Long.MIN_VALUE;
    private int spaceAnnounced;
    private int optionsApplied;
    private TcpObserver announcedTo;

    TcpConnection(
            Tcp tcp,
            Path path,
            int localPort,
            int remotePort,
            TcpOptions options,
            TcpObserver observer,
            @Nullable LocalBinding binding) {
        super(path.local.high(), path.local.low(), localPort, path.remote.high(), path.remote.low(), remotePort);
        this.tcp = tcp;
        this.path = path;
        this.options = options;
        this.announcedTo = observer;
        this.binding = binding;
        this.trafficClass = options.trafficClass;
        this.timers = new ConnectionTimers(this, tcp.wheel);
        this.retries = new Retries(this, tcp);
        this.ecn = new Ecn(tcp.config);
        int initial = tcp.config.initialBufferBytes();
        SendBuffer sendBuffer =
                new SendBuffer(tcp.chunks, options.sendBufferBytes > 0 ? options.sendBufferBytes : initial);
        ReceiveBuffer receiveBuffer =
                new ReceiveBuffer(tcp.chunks, options.receiveBufferBytes > 0 ? options.receiveBufferBytes : initial);
        this.sender = new Sender(this, sendBuffer, tcp, options);
        this.receiver = new Receiver(receiveBuffer, timers, sender.rtt, tcp.counters, tcp.config, options);
        this.fastOpen = new FastOpen(this, tcp);
        this.socket = new ConnectionSocket(this, tcp, options, observer);
        limitUnsent();
    }

    // ---- what the application asks for ----

    /** Takes note of all that the application has asked for so far. */
    @SuppressWarnings("ReferenceEquality") // another observer is another object
    void attend(long nowNs) {
        int wishes = socket.takeRequests();
        if (socket.optionsVersion() != optionsApplied) {
            optionsApplied = socket.optionsVersion();
            applyOptions(nowNs);
        }
        TcpObserver current = socket.observer();
        if (current != announcedTo) {
            announcedTo = current;
            readinessChanged = true;
        }
        if ((wishes & ConnectionSocket.ABORT) != 0) {
            tcp.lifecycle.abort(this, TcpError.ABORTED, nowNs);
        } else if ((wishes & ConnectionSocket.CLOSE) != 0) {
            tcp.lifecycle.close(this, nowNs);
        } else {
            fastOpen.attend(wishes, nowNs);
            if ((wishes & ConnectionSocket.SHUTDOWN_INPUT) != 0) {
                receiver.discard();
            }
            if ((wishes & ConnectionSocket.SHUTDOWN_OUTPUT) != 0) {
                tcp.lifecycle.shutdownOutput(this);
            }
        }
        if (state == TcpState.CLOSED) {
            receiver.trim();
        } else if (state != TcpState.SYN_SENT
                && state != TcpState.SYN_RECEIVED) { // no window is told before the handshake is complete
            receiver.onConsumed(sender.rtt.smoothedRttNs(), nowNs);
        }
        announceSpace();
        if (socket.wantsMemory()) {
            if (state == TcpState.CLOSED) {
                socket.memoryFound();
            } else {
                tcp.memory.await(this);
            }
        }
        sender.sillyWindow.moreFollows = socket.moreFollows();
        finish(nowNs);
        sender.sillyWindow.moreFollows = false; // an acknowledgment lets the rest go
    }

    /** There is buffer memory again: the application may write. */
    void onMemoryAvailable() {
        socket.memoryFound();
        socket.observer().onReadiness();
    }

    private void applyOptions(long nowNs) {
        trafficClass = options.trafficClass;
        sender.apply(options);
        limitUnsent();
        receiver.acks.quickAckAlways(options.quickAck);
        if (options.receiveBufferBytes > receiver.window.capacity()) {
            receiver.window.capacity(Math.min(options.receiveBufferBytes, 0xffff << receiver.window.scale));
        }
        if (state != TcpState.CLOSED) {
            retries.startKeepAlive(nowNs);
        }
    }

    /** The option, or else the stack's setting, says how much may be unsent. */
    void limitUnsent() {
        int own = options.notSentLowBytes;
        publishSent(); // before the limit that it is for
        notSent.low(own == 0 ? tcp.config.notSentLowBytes() : own < 0 ? NotSentLimit.NONE : own);
    }

    private void publishSent() {
        notSent.onTransmitted(Math.max(sender.nxt, 0), sender.segmentBytes(), sender.window.maxBytes);
    }

    boolean outputShutDown() {
        return (socket.requests() & ConnectionSocket.SHUTDOWN_OUTPUT) != 0;
    }

    boolean closedByApplication() {
        return (socket.requests() & ConnectionSocket.CLOSE) != 0;
    }

    /** Sends what may go and what is due, then tells the observer; the last step of whatever concerned this connection. */
    void finish(long nowNs) {
        sender.transmit(nowNs);
        if (notSent.isLimited()) {
            publishSent();
            announceSpace();
        }
        if (receiver.acks.ackNow && state != TcpState.CLOSED) {
            sendAck(nowNs);
        }
        receiver.acks.endBurst();
        tally.onActivity(sender.activity(socket.spaceWanted() != spaceAnnounced), nowNs);
        if (readinessChanged) {
            readinessChanged = false;
            socket.observer().onReadiness();
        }
    }

    TcpOptions options() {
        return options;
    }

    // ---- segments without text ----

    /** A segment without data, with everything we know. */
    void sendAck(long nowNs) {
        if (tcp.writer.segment(this, sender.nxt, 0, TcpSegment.ACK, SegmentOutput.Kind.ACK, nowNs)) {
            tcp.counters.increment(Counter.TCP_PURE_ACKS);
        } else {
            tcp.onBlocked(this);
        }
    }

    /** SYN, or SYN+ACK after a simultaneous open; sets the timer that repeats it. */
    void sendSyn(long nowNs) {
        if (!tcp.writer.syn(this, state == TcpState.SYN_RECEIVED, nowNs)) {
            tcp.counters.increment(Counter.TCP_OUTPUT_BLOCKED); // the timer repeats it
        }
        timers.set(ConnectionTimers.RETRANSMIT, nowNs + sender.rtt.rtoNs());
    }

    /** RFC 9293 §3.10.7.4, "send an ACK": answers what is not acceptable, with our own state, at a bounded rate. */
    void challenge(long nowNs) {
        if (mayAnswerOddity(nowNs)) {
            tcp.counters.increment(Counter.TCP_CHALLENGE_ACKS);
            receiver.acks.ackNow = true;
        }
    }

    /** Whether a segment that should not have come may be answered; counts as one answer if so. */
    boolean mayAnswerOddity(long nowNs) {
        boolean rested =
                lastChallengeNs == Long.MIN_VALUE || nowNs - lastChallengeNs >= ChallengeAcks.CONNECTION_INTERVAL_NS;
        if (rested && tcp.challenges.permits(nowNs)) {
            lastChallengeNs = nowNs;
            return true;
        }
        tcp.counters.increment(Counter.TCP_CHALLENGE_ACKS_WITHHELD);
        return false;
    }

    // ---- timers ----

    void onTimer(int kind, long nowNs) {
        if (state == TcpState.CLOSED && kind != ConnectionTimers.TRIM) {
            return;
        }
        try {
            switch (kind) {
                case ConnectionTimers.RETRANSMIT -> retries.onRetransmissionTimeout(nowNs);
                case ConnectionTimers.LOSS_PROBE -> sender.transmitter.onLossProbe(nowNs);
                case ConnectionTimers.REORDER -> sender.onReorderTimer(nowNs);
                case ConnectionTimers.DELAYED_ACK -> onDelayedAck();
                case ConnectionTimers.PERSIST -> retries.onPersist(nowNs);
                case ConnectionTimers.KEEPALIVE -> retries.onKeepAlive(nowNs);
                case ConnectionTimers.LIFETIME -> tcp.lifecycle.expire(this);
                case ConnectionTimers.TRIM -> onTrim(nowNs);
                case ConnectionTimers.PACING -> {
                    // finish() transmits
                }
                default -> throw new AssertionError("timer " + kind);
            }
            finish(nowNs);
        } catch (RuntimeException | AssertionError broken) {
            tcp.onBroken(this, broken, nowNs);
        }
    }

    private void onDelayedAck() {
        tcp.counters.increment(Counter.TCP_DELAYED_ACKS);
        receiver.acks.onDelayedAck();
    }

    private void onTrim(long nowNs) {
        if (receiver.trim()) {
            timers.set(ConnectionTimers.TRIM, nowNs + 10 * Receiver.TRIM_AFTER_NS);
        }
    }

    // ---- state ----

    TcpState state() {
        return state;
    }

    void moveTo(TcpState next) {
        assert state.mayBecome(next) : state + " to " + next;
        state = next;
    }

    /** The handshake is complete. */
    void onEstablished(long nowNs) {
        moveTo(TcpState.ESTABLISHED);
        publish(TcpSocket.CONNECTED | ConnectionSocket.SYNCHRONISED);
        tally.establishedNs = nowNs;
        retries.onHeard(nowNs);
        retries.startKeepAlive(nowNs);
    }

    /** Data with the SYN has opened the connection: the application may use it while the handshake is under way. */
    void onFastOpened(long nowNs) {
        moveTo(TcpState.SYN_RECEIVED);
        sender.onFastOpened(peerMss, nowNs);
        publish(TcpSocket.CONNECTED);
    }

    void onReadable() {
        readinessChanged = true;
    }

    void onPeerClosed() {
        publish(TcpSocket.PEER_CLOSED);
    }

    void onFinAcknowledged() {
        publish(ConnectionSocket.FIN_ACKNOWLEDGED);
    }

    void onFailed(TcpError why) {
        socket.publishFailure(why);
        readinessChanged = true;
    }

    void onGone() {
        publish(TcpSocket.GONE);
    }

    /** Bits of {@link TcpSocket#readiness} that stay set. */
    void publish(int bits) {
        socket.publish(bits);
        readinessChanged = true;
    }

    /** ACKs have freed space: tells the application if it had found too little. */
    void announceSpace() {
        int wanted = socket.spaceWanted();
        if (wanted != spaceAnnounced) {
            sender.growBuffer();
            if (socket.hasSpace()) {
                spaceAnnounced = wanted;
                readinessChanged = true;
            }
        }
    }

    /** Everything acknowledged: whoever lingers wants to know. */
    void onDrained() {
        if ((socket.requests() & (ConnectionSocket.SHUTDOWN_OUTPUT | ConnectionSocket.CLOSE)) != 0) {
            readinessChanged = true;
        }
    }

    /** Called by tests and the simulator after every step, for connections in the flow table. */
    void checkInvariants() {
        timers.checkInvariants();
        checkState();
        if (state == TcpState.SYN_SENT || state == TcpState.SYN_RECEIVED) {
            assert fastOpen.synDeferred || timers.isSet(ConnectionTimers.RETRANSMIT) : "a handshake without a timer";
        } else {
            sender.checkInvariants();
            receiver.checkInvariants();
            assert !receiver.acks.ackNow || blocked : "an ACK is due, was not sent, and waits for nothing";
        }
    }

    /** The state says which FINs have been sent, acknowledged and received (RFC 9293 §3.3.2). */
    private void checkState() {
        boolean closing = sender.finPosition != Sender.NO_FIN;
        boolean peerClosed = receiver.finReceived();
        boolean agrees = switch (state) {
            case SYN_SENT, SYN_RECEIVED -> !closing && !peerClosed;
            case ESTABLISHED -> !closing && !peerClosed;
            case FIN_WAIT_1 -> closing && !peerClosed && !sender.finAcknowledged();
            case FIN_WAIT_2 -> closing && !peerClosed && sender.finAcknowledged();
            case CLOSE_WAIT -> !closing && peerClosed;
            case CLOSING, LAST_ACK -> closing && peerClosed && !sender.finAcknowledged();
            case LISTEN, TIME_WAIT, CLOSED -> false;
        };
        assert agrees
                : "FIN sent at " + sender.finPosition + ", acknowledged to " + sender.una + ", received " + peerClosed;
        assert state != TcpState.FIN_WAIT_2
                        || !closedByApplication()
                        || timers.isSet(ConnectionTimers.LIFETIME)
                        || socket.isPending()
                : "nobody reads, and nothing ends FIN-WAIT-2";
    }

    @Override
    public String toString() {
        return path.local + ":" + localPort + " - " + path.remote + ":" + remotePort + " " + state;
    }
}
