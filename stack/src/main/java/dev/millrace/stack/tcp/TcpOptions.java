package dev.millrace.stack.tcp;

import org.jspecify.annotations.Nullable;

/**
 * Socket options as the application set them. Written by the application before {@code connect}/{@code listen} or before
 * {@link TcpSocket#optionsChanged()}, which publishes them to the core; units as in the JDK's options.
 */
public final class TcpOptions {
    public boolean noDelay;
    public boolean keepAlive;
    /** Seconds; 7200 as Linux. */
    public int keepIdleSeconds = 7200;
    /** Seconds; 75 as Linux. */
    public int keepIntervalSeconds = 75;
    /** Probes; 9 as Linux. */
    public int keepCount = 9;
    /** SO_RCVBUF in bytes as the application asked, 0 = auto-tuned. */
    public int receiveBufferBytes;
    /** SO_SNDBUF in bytes as the application asked, 0 = auto-tuned. */
    public int sendBufferBytes;
    /** IP_TOS / IPV6_TCLASS, 0..255. */
    public int trafficClass;
    /** TCP_USER_TIMEOUT in ms (RFC 5482), 0 = by retransmission count. */
    public int userTimeoutMs;
    /**
     * TCP_NOTSENT_LOWAT: the socket is writable, and takes bytes, only while fewer than this are unsent, so that what is written last does not wait behind much
     * else; 0: as the stack ({@link TcpConfig#notSentLowBytes}), below 0: without limit.
     */
    public int notSentLowBytes;
    /** SO_OOBINLINE: urgent bytes are read like others, not discarded. */
    public boolean oobInline;
    /** TCP_QUICKACK: acknowledge at once. */
    public boolean quickAck;
    /** TCP_CORK: what does not fill a segment waits for more, or for the retransmission timeout (200 ms and more) if nothing is in flight. */
    public boolean cork;

    /** TCP_SYNCNT: retransmissions of the SYN before giving up, 0 = the stack's. */
    public int synRetries;

    /** TCP_MAXSEG, before the connection is made or on its listener: the MSS option says at most this, and no segment carries more; 0 = by the path. */
    public int maxSegmentBytes;

    /** TCP_CONGESTION, before the connection is made; null: the stack's. DCTCP, which needs ECN in the handshake, is the stack's only. */
    public @Nullable CongestionAlgorithm congestionControl;

    /**
     * TCP_FASTOPEN_CONNECT: where Fast Open is on for clients, a connect to a server whose cookie is known succeeds at once, and the SYN waits
     * for the first bytes written, as long as that takes.
     */
    public boolean fastOpenConnect;

    /**
     * TCP_FASTOPEN of a listener: connections opened by data with a SYN that may wait for their final ACK at a time; −1: as many as the
     * backlog. Means something only where Fast Open is on for servers.
     */
    public int fastOpenQueue = -1;

    /**
     * TCP_FASTOPEN_NO_COOKIE: a connect sends data with its SYN without a cookie, and a listener takes such data. For networks where nobody forges
     * addresses.
     */
    public boolean fastOpenNoCookie;

    public boolean reuseAddress;
    public boolean reusePort;

    public TcpOptions() {}

    /** What a connection inherits from its listener, as on Linux: everything. */
    public TcpOptions copy() {
        TcpOptions copy = new TcpOptions();
        copy.noDelay = noDelay;
        copy.keepAlive = keepAlive;
        copy.keepIdleSeconds = keepIdleSeconds;
        copy.keepIntervalSeconds = keepIntervalSeconds;
        copy.keepCount = keepCount;
        copy.receiveBufferBytes = receiveBufferBytes;
        copy.sendBufferBytes = sendBufferBytes;
        copy.trafficClass = trafficClass;
        copy.userTimeoutMs = userTimeoutMs;
        copy.notSentLowBytes = notSentLowBytes;
        copy.oobInline = oobInline;
        copy.quickAck = quickAck;
        copy.cork = cork;
        copy.synRetries = synRetries;
        copy.maxSegmentBytes = maxSegmentBytes;
        copy.congestionControl = congestionControl;
        copy.fastOpenConnect = fastOpenConnect;
        copy.fastOpenQueue = fastOpenQueue;
        copy.fastOpenNoCookie = fastOpenNoCookie;
        copy.reuseAddress = reuseAddress;
        copy.reusePort = reusePort;
        return copy;
    }
}
