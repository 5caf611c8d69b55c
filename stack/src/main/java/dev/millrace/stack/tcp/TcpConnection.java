package dev.millrace.stack.tcp;

import dev.millrace.stack.memory.ReceiveBuffer;
import dev.millrace.stack.memory.SendBuffer;
import dev.millrace.stack.metrics.Counter;
import dev.millrace.stack.wire.IpAddress;
import dev.millrace.stack.wire.TcpSegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One connection: the application's door ({@link TcpSocket}, any thread) and the core's state behind it (core thread only).
 *
 * <p>The two sides share the byte queues and a handful of fields, each written by one side: the core publishes {@code status} and
 * {@code error}; the application sets request bits and counts, then asks for attention. {@code pending} keeps the connection from being
 * submitted twice: the application sets it and submits when it was clear, the core clears it before it looks, both with an atomic
 * exchange, so that whatever was written before a refused submission is seen by the look that follows.
 */
public final class TcpConnection extends Flow implements TcpSocket {
    /** {@code status} beyond the bits of {@link TcpSocket#readiness}: our FIN is acknowledged. */
    private static final int FIN_ACKNOWLEDGED = 1 << 16;

    /** And: the handshake is complete, which a connect with Fast Open does not wait for. */
    private static final int SYNCHRONISED = 1 << 17;

    static final int SHUTDOWN_OUTPUT = 1;
    static final int SHUTDOWN_INPUT = 1 << 1;
    static final int CLOSE = 1 << 2;
    static final int ABORT = 1 << 3;
    /** Nothing more is to be waited for before the SYN. */
    static final int OPEN = 1 << 4;

    private static final VarHandle STATUS;
    private static final VarHandle REQUESTED;
    private static final VarHandle PENDING;
    private static final VarHandle SPACE_WANTED;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            STATUS = lookup.findVarHandle(TcpConnection.class, "status", int.class);
            REQUESTED = lookup.findVarHandle(TcpConnection.class, "requested", int.class);
            PENDING = lookup.findVarHandle(TcpConnection.class, "pending", int.class);
            SPACE_WANTED = lookup.findVarHandle(TcpConnection.class, "spaceWanted", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

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
    private final NotSentLimit notSent = new NotSentLimit();
    private final SendBuffer sendBuffer;
    private final ReceiveBuffer receiveBuffer;
    private final TcpOptions options;

    // written by the core, read by the application
    private int status;
    private volatile TcpError error = TcpError.NONE;

    // written by the application, read by the core
    @SuppressWarnings("UnusedVariable") // through REQUESTED
    private int requested;

    private int spaceWanted;
    private volatile boolean moreFollows;
    private volatile int optionsVersion;
    private volatile TcpObserver observer;

    // set by the application, cleared by the core; a lost race costs one more look at an unchanged buffer
    /** The pool was dry when the application wrote: not writable until it is not. */
    private volatile boolean memoryWanted;

    // exchanged by both
    @SuppressWarnings("UnusedVariable") // through PENDING
    private int pending;

    // core only
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

    // Fast Open
    /** The listener among whose pending connections this one counts, until its handshake is complete. */
    @Nullable
    TcpListener fastOpenListener;

    /** The SYN+ACK is to bring the peer a new cookie. */
    boolean fastOpenCookieDue;
    /** The option has the form it had before RFC 7413. */
    boolean fastOpenExperimental;
    /** The connect call came with data, and the path has not shown to drop such SYNs. */
    boolean fastOpenWanted;
    /** A SYN of ours has carried the option. */
    boolean fastOpenTried;
    /** Bytes that went with the SYN. */
    int synDataBytes;
    /** Our SYN waits for bytes to go with it. */
    boolean synDeferred;

    /** How many may: until the handshake is complete the application writes no more than that, as on Linux. Written before CONNECTED is. */
    private int synTextLimit;

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
        this.observer = observer;
        this.announcedTo = observer;
        this.binding = binding;
        this.trafficClass = options.trafficClass;
        this.timers = new ConnectionTimers(this, tcp.wheel);
        this.retries = new Retries(this, tcp);
        this.ecn = new Ecn(tcp.config);
        int initial = tcp.config.initialBufferBytes();
        this.sendBuffer = new SendBuffer(tcp.chunks, options.sendBufferBytes > 0 ? options.sendBufferBytes : initial);
        this.receiveBuffer =
                new ReceiveBuffer(tcp.chunks, options.receiveBufferBytes > 0 ? options.receiveBufferBytes : initial);
        this.sender = new Sender(this, sendBuffer, tcp, options);
        this.receiver = new Receiver(receiveBuffer, timers, tcp.counters, tcp.config, options);
        this.urgent.inline(options.oobInline);
        limitUnsent();
    }

    // ---- application: state ----

    @Override
    public int readiness() {
        int now = (int) STATUS.getAcquire(this);
        int wishes = (int) REQUESTED.getAcquire(this);
        int ready = now & ~(FIN_ACKNOWLEDGED | SYNCHRONISED);
        if ((now & (PEER_CLOSED | FAILED)) != 0
                || (wishes & SHUTDOWN_INPUT) != 0
                || urgent.readable(receiveBuffer, receiveBuffer.readableBytes()) > 0) {
            ready |= READABLE;
        }
        if ((now & FAILED) != 0
                || (wishes & SHUTDOWN_OUTPUT) != 0
                || (now & CONNECTED) != 0
                        && !memoryWanted
                        && hasSpace()
                        && (synTextLimit == 0 || mayFollowSyn(1, now) > 0)) {
            ready |= WRITABLE;
        }
        boolean closing = (wishes & (SHUTDOWN_OUTPUT | CLOSE)) != 0;
        if (sendBuffer.freeBytes() >= sendBuffer.capacity() && (!closing || (now & FIN_ACKNOWLEDGED) != 0)) {
            ready |= DRAINED;
        }
        return ready;
    }

    private boolean hasSpace() {
        return sendBuffer.freeBytes() * 3L >= sendBuffer.capacity() && notSent.isWritable(sendBuffer.tailAcquire());
    }

    @Override
    public TcpError error() {
        return error;
    }

    @Override
    public int readableBytes() {
        return ((int) REQUESTED.getAcquire(this) & SHUTDOWN_INPUT) != 0
                ? 0
                : urgent.readable(receiveBuffer, receiveBuffer.readableBytes());
    }

    @Override
    public int writableBytes() {
        return notSent.permitted(sendBuffer.tailAcquire(), sendBuffer.freeBytes());
    }

    // ---- application: bytes ----

    @Override
    public int read(ByteBuffer target, int at, int length) {
        if (((int) REQUESTED.getAcquire(this) & SHUTDOWN_INPUT) != 0) {
            return END;
        }
        int count = take(target, at, length);
        if (count <= 0 && length > 0) {
            int now = (int) STATUS.getAcquire(this);
            if ((now & (PEER_CLOSED | FAILED)) == 0) {
                return Math.max(count, 0);
            }
            count = take(target, at, length); // bytes published before the end was
            if (count <= 0) {
                return (now & PEER_CLOSED) != 0 ? END : ERROR;
            }
        }
        if (receiver.attentionDue(receiveBuffer.headAcquire())
                || (receiver.ackAwaitsReader() && receiveBuffer.readableBytes() == 0)) {
            requestAttention();
        }
        return count;
    }

    private int take(ByteBuffer target, int at, int length) {
        return urgent.isAhead(receiveBuffer.headAcquire())
                ? urgent.read(receiveBuffer, target, at, length)
                : receiveBuffer.read(target, at, length);
    }

    @Override
    public int write(ByteBuffer source, int from, int length) {
        if (refusesText()) {
            return ERROR;
        }
        if (synTextLimit > 0) {
            return writeWithSyn(source, from, length);
        }
        int allowed = notSent.permitted(sendBuffer.tailAcquire(), length);
        return onWritten(sendBuffer.write(source, from, allowed), allowed);
    }

    private int writeWithSyn(ByteBuffer source, int from, int length) {
        int now = (int) STATUS.getAcquire(this);
        if (length == 0 && (now & SYNCHRONISED) == 0) {
            request(OPEN); // as Linux: the SYN goes, with nothing
        }
        int allowed = mayFollowSyn(length, now);
        return onWritten(sendBuffer.write(source, from, allowed), allowed);
    }

    /** How many of so many bytes may be written: before the handshake is complete those that go with the SYN, and these once only. */
    private int mayFollowSyn(int length, int now) {
        if ((now & SYNCHRONISED) != 0) {
            return notSent.permitted(sendBuffer.tailAcquire(), length);
        }
        boolean begun =
                sendBuffer.freeBytes() < sendBuffer.capacity() || ((int) REQUESTED.getAcquire(this) & OPEN) != 0;
        return begun ? 0 : Math.min(length, synTextLimit);
    }

    @Override
    public int writeUrgent(byte value) {
        return refusesText() ? ERROR : onWritten(urgent.write(sendBuffer, value), 1);
    }

    private boolean refusesText() {
        return ((int) STATUS.getAcquire(this) & FAILED) != 0
                || ((int) REQUESTED.getAcquire(this) & (SHUTDOWN_OUTPUT | CLOSE)) != 0;
    }

    private int onWritten(int count, int length) {
        if (count < 0) {
            return ERROR;
        }
        if (count < length && tcp.chunks.freeChunks() == 0 && sendBuffer.freeBytes() > 0) {
            memoryWanted = true;
            requestAttention();
        }
        boolean filled = !hasSpace();
        if (filled) {
            SPACE_WANTED.setRelease(this, spaceWanted + 1);
        }
        if (count > 0 || filled) {
            requestAttention();
        }
        return count;
    }

    @Override
    public void moreFollows(boolean more) {
        moreFollows = more;
    }

    // ---- application: requests ----

    @Override
    public void shutdownOutput() {
        request(SHUTDOWN_OUTPUT);
    }

    @Override
    public void shutdownInput() {
        request(SHUTDOWN_INPUT);
    }

    @Override
    public void close() {
        request(CLOSE);
    }

    @Override
    public void abort() {
        request(ABORT | CLOSE);
    }

    private void request(int bits) {
        int before = (int) REQUESTED.getAndBitwiseOr(this, bits);
        if ((before & bits) != bits) {
            requestAttention();
        }
    }

    private void requestAttention() {
        if ((int) PENDING.getAndSet(this, 1) == 0) {
            tcp.attention.submit(this);
        }
    }

    @Override
    public TcpOptions options() {
        return options;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // NIO's option lock makes the application one writer
    public void optionsChanged() {
        urgent.inline(options.oobInline);
        optionsVersion++;
        requestAttention();
    }

    @Override
    public void observer(TcpObserver newObserver) {
        observer = newObserver;
        requestAttention();
    }

    @Override
    public IpAddress localAddress() {
        return path.local;
    }

    @Override
    public int localPort() {
        return localPort;
    }

    @Override
    public IpAddress remoteAddress() {
        return path.remote;
    }

    @Override
    public int remotePort() {
        return remotePort;
    }

    @Override
    public int shard() {
        return tcp.config.shard();
    }

    // ---- core: requests ----

    /** Takes note of all that the application has asked for so far. */
    @SuppressWarnings("ReferenceEquality") // another observer is another object
    void attend(long nowNs) {
        PENDING.getAndSet(this, 0);
        int wishes = (int) REQUESTED.getAcquire(this);
        if (optionsVersion != optionsApplied) {
            optionsApplied = optionsVersion;
            applyOptions(nowNs);
        }
        TcpObserver current = observer;
        if (current != announcedTo) {
            announcedTo = current;
            readinessChanged = true;
        }
        if ((wishes & ABORT) != 0) {
            tcp.lifecycle.abort(this, TcpError.ABORTED, nowNs);
        } else if ((wishes & CLOSE) != 0) {
            tcp.lifecycle.close(this, nowNs);
        } else {
            if (synDeferred && (sendBuffer.unreleasedBytes() > 0 || (wishes & (SHUTDOWN_OUTPUT | OPEN)) != 0)) {
                sendDeferredSyn(nowNs);
            }
            if ((wishes & SHUTDOWN_INPUT) != 0) {
                receiver.discard();
            }
            if ((wishes & SHUTDOWN_OUTPUT) != 0) {
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
        if (memoryWanted) {
            if (state == TcpState.CLOSED) {
                memoryWanted = false;
            } else {
                tcp.memory.await(this);
            }
        }
        sender.moreFollows = moreFollows;
        finish(nowNs);
        sender.moreFollows = false; // an acknowledgment lets the rest go
    }

    /** There is buffer memory again: the application may write. */
    void onMemoryAvailable() {
        memoryWanted = false;
        observer.onReadiness();
    }

    private void applyOptions(long nowNs) {
        trafficClass = options.trafficClass;
        sender.apply(options);
        limitUnsent();
        receiver.quickAckAlways(options.quickAck);
        if (options.receiveBufferBytes > receiver.capacity()) {
            receiver.capacity(Math.min(options.receiveBufferBytes, 0xffff << receiver.scale));
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

    /** The application has promised more when it wrote last. */
    boolean moreFollows() {
        return moreFollows;
    }

    boolean outputShutDown() {
        return ((int) REQUESTED.getAcquire(this) & SHUTDOWN_OUTPUT) != 0;
    }

    boolean closedByApplication() {
        return ((int) REQUESTED.getAcquire(this) & CLOSE) != 0;
    }

    /** Sends what may go and what is due, then tells the observer; the last step of whatever concerned this connection. */
    void finish(long nowNs) {
        sender.transmit(nowNs);
        if (notSent.isLimited()) {
            publishSent();
            announceSpace();
        }
        if (receiver.ackNow && state != TcpState.CLOSED) {
            sendAck(nowNs);
        }
        tally.onActivity(sender.activity((int) SPACE_WANTED.getAcquire(this) != spaceAnnounced), nowNs);
        if (readinessChanged) {
            readinessChanged = false;
            observer.onReadiness();
        }
    }

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

    /**
     * As TCP_FASTOPEN_CONNECT on Linux: the application may go on as if it were connected, and what it writes first goes with the SYN. Other than
     * there, the SYN does not wait for ever: the server may be the one to speak first.
     */
    void deferSyn(long nowNs) {
        synDeferred = true;
        synTextLimit = tcp.fastOpen.synTextLimit(this);
        publish(CONNECTED);
        if (!options.fastOpenConnect) {
            timers.set(ConnectionTimers.RETRANSMIT, nowNs + FastOpenClient.DEFERRAL_NS);
        }
    }

    /** There are bytes to go with the SYN, or it must not wait any longer. */
    void sendDeferredSyn(long nowNs) {
        synDeferred = false;
        synSentNs = nowNs;
        sendSyn(nowNs);
    }

    /** What was too large for the path was the data with the SYN: the SYN goes again without, and with the MSS of the smaller path. */
    void sendBareSyn(long nowNs) {
        fastOpenWanted = false;
        tcp.counters.increment(Counter.TCP_RETRANSMITTED_SEGMENTS);
        sendSyn(nowNs);
    }

    /** Opened by data with its SYN, its handshake under way, and not accepted yet. */
    @SuppressWarnings("ReferenceEquality") // the constant is meant
    boolean awaitsAcceptance() {
        return fastOpenListener != null && state == TcpState.SYN_RECEIVED && observer == TcpObserver.NONE;
    }

    /** The peer repeats the SYN that has opened this connection: so does what answers it. */
    void repeatSynAck(long nowNs) {
        if (mayAnswerOddity(nowNs) && !tcp.writer.syn(this, true, nowNs)) {
            tcp.counters.increment(Counter.TCP_OUTPUT_BLOCKED); // the timer, or the peer, repeats it
        }
    }

    /** What Fast Open adds to our SYN or SYN+ACK. */
    void addFastOpen(Syn syn, boolean withAck, long nowNs) {
        if (!withAck) {
            tcp.fastOpen.addTo(this, syn, nowNs);
        } else if (fastOpenCookieDue) {
            tcp.passive.fastOpen.addCookie(this, syn, nowNs);
            syn.fastOpenExperimental = fastOpenExperimental;
        }
    }

    /** RFC 9293 §3.10.7.4, "send an ACK": answers what is not acceptable, with our own state, at a bounded rate. */
    void challenge(long nowNs) {
        if (mayAnswerOddity(nowNs)) {
            tcp.counters.increment(Counter.TCP_CHALLENGE_ACKS);
            receiver.ackNow = true;
        }
    }

    private boolean mayAnswerOddity(long nowNs) {
        boolean rested =
                lastChallengeNs == Long.MIN_VALUE || nowNs - lastChallengeNs >= ChallengeAcks.CONNECTION_INTERVAL_NS;
        if (rested && tcp.challenges.permits(nowNs)) {
            lastChallengeNs = nowNs;
            return true;
        }
        tcp.counters.increment(Counter.TCP_CHALLENGE_ACKS_WITHHELD);
        return false;
    }

    // ---- core: timers ----

    void onTimer(int kind, long nowNs) {
        if (state == TcpState.CLOSED && kind != ConnectionTimers.TRIM) {
            return;
        }
        try {
            switch (kind) {
                case ConnectionTimers.RETRANSMIT -> retries.onRetransmissionTimeout(nowNs);
                case ConnectionTimers.LOSS_PROBE -> sender.onLossProbe(nowNs);
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
        receiver.onDelayedAck();
    }

    private void onTrim(long nowNs) {
        if (receiver.trim()) {
            timers.set(ConnectionTimers.TRIM, nowNs + 10 * Receiver.TRIM_AFTER_NS);
        }
    }

    // ---- core: state ----

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
        publish(CONNECTED | SYNCHRONISED);
        tally.establishedNs = nowNs;
        retries.onHeard(nowNs);
        retries.startKeepAlive(nowNs);
    }

    /** Data with the SYN has opened the connection: the application may use it while the handshake is under way. */
    void onFastOpened(long nowNs) {
        moveTo(TcpState.SYN_RECEIVED);
        sender.onFastOpened(peerMss, nowNs);
        publish(CONNECTED);
    }

    /** Opened by data, so what the application writes need not wait for the final ACK; unless our SYN+ACK seems to be lost. */
    boolean mayAnswerEarly() {
        return fastOpenListener != null && state == TcpState.SYN_RECEIVED && retries.timeouts() == 0;
    }

    /** The handshake of a connection opened by data is complete, or the connection is over. */
    void endFastOpen() {
        TcpListener listener = fastOpenListener;
        if (listener != null) {
            fastOpenListener = null;
            listener.fastOpenPendingChanged(-1);
        }
    }

    void onReadable() {
        readinessChanged = true;
    }

    void onPeerClosed() {
        publish(PEER_CLOSED);
    }

    void onFinAcknowledged() {
        publish(FIN_ACKNOWLEDGED);
    }

    void onFailed(TcpError why) {
        if (error == TcpError.NONE) {
            error = why;
        }
        publish(FAILED);
    }

    void onGone() {
        publish(GONE);
    }

    private void publish(int bits) {
        STATUS.setRelease(this, status | bits);
        readinessChanged = true;
    }

    /** ACKs have freed space: tells the application if it had found too little. */
    void announceSpace() {
        int wanted = (int) SPACE_WANTED.getAcquire(this);
        if (wanted != spaceAnnounced) {
            sender.growBuffer();
            if (hasSpace()) {
                spaceAnnounced = wanted;
                readinessChanged = true;
            }
        }
    }

    /** Everything acknowledged: whoever lingers wants to know. */
    void onDrained() {
        if (((int) REQUESTED.getAcquire(this) & (SHUTDOWN_OUTPUT | CLOSE)) != 0) {
            readinessChanged = true;
        }
    }

    /** Called by tests and the simulator after every step, for connections in the flow table. */
    void checkInvariants() {
        timers.checkInvariants();
        checkState();
        if (state == TcpState.SYN_SENT || state == TcpState.SYN_RECEIVED) {
            assert synDeferred || timers.isSet(ConnectionTimers.RETRANSMIT) : "a handshake without a timer";
        } else {
            sender.checkInvariants();
            receiver.checkInvariants();
            assert !receiver.ackNow || blocked : "an ACK is due, was not sent, and waits for nothing";
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
                        || isPending()
                : "nobody reads, and nothing ends FIN-WAIT-2";
    }

    /** The core will look at the application's requests in its next turn. */
    boolean isPending() {
        return (int) PENDING.getAcquire(this) != 0;
    }

    @Override
    public String toString() {
        return path.local + ":" + localPort + " - " + path.remote + ":" + remotePort + " " + state;
    }
}
