package dev.millrace.stack.tcp;

/**
 * Limits and times of one shard's TCP. Immutable.
 *
 * @param shard this core's number, which its connections report
 * @param minRtoNs lower bound of the retransmission timeout
 * @param initialBufferBytes receive and send buffer of a fresh connection
 * @param maxReceiveBufferBytes limit of receive auto-tuning
 * @param maxSendBufferBytes limit of send auto-tuning
 * @param maxConnections connections in any state but TIME-WAIT
 * @param handshake limits of passive opens
 * @param maxTimeWait TIME-WAIT entries; beyond, the oldest gives way
 * @param timeWaitNs how long TIME-WAIT lasts (60 s as Linux)
 * @param timeWaitReuseNs how old TIME-WAIT is, at least, before we open a connection with its tuple again (tcp_tw_reuse_delay; Linux ships 1 s
 *     from times of coarser timestamps)
 * @param synRetries retransmissions of a SYN before giving up (tcp_syn_retries)
 * @param synAckRetries retransmissions of a SYN+ACK before forgetting (tcp_synack_retries)
 * @param retries retransmissions of data before giving up (tcp_retries2)
 * @param orphanRetries retransmissions after the application has closed (tcp_orphan_retries)
 * @param delayedAckNs how long an ACK may wait for data to ride on (40 ms as Linux)
 * @param finWait2Ns how long a closed connection waits for the peer's FIN (tcp_fin_timeout)
 * @param congestionControl the algorithm
 * @param mtuProbing when to look for the path's MTU without ICMP (tcp_mtu_probing; Linux ships 0 and leaves
 *     1, the default here, to distributions)
 * @param ecn who asks for ECN and who agrees
 * @param features what may be switched off
 * @param pacing segments of every algorithm leave at its pacing rate, not in bursts; without it, only of those that need it
 * @param notSentLowBytes what may wait unsent of a connection that is writable (tcp_notsent_lowat), {@link NotSentLimit#NONE}: anything
 */
public record TcpConfig(
        int shard,
        long minRtoNs,
        int initialBufferBytes,
        int maxReceiveBufferBytes,
        int maxSendBufferBytes,
        int maxConnections,
        HandshakeConfig handshake,
        int maxTimeWait,
        long timeWaitNs,
        long timeWaitReuseNs,
        int synRetries,
        int synAckRetries,
        int retries,
        int orphanRetries,
        long delayedAckNs,
        long finWait2Ns,
        CongestionAlgorithm congestionControl,
        MtuProbing mtuProbing,
        EcnMode ecn,
        TcpFeatures features,
        boolean pacing,
        int notSentLowBytes) {

    private static final long MS = 1_000_000L;
    private static final long SECOND = 1_000 * MS;

    /** Linux' defaults. */
    public static TcpConfig of(int shard) {
        return new TcpConfig(
                shard,
                200 * MS,
                128 << 10,
                6 << 20,
                4 << 20,
                1 << 20,
                HandshakeConfig.DEFAULT,
                1 << 17,
                60 * SECOND,
                0,
                6,
                5,
                15,
                8,
                40 * MS,
                60 * SECOND,
                CongestionAlgorithm.CUBIC,
                MtuProbing.BLACKHOLE,
                EcnMode.PASSIVE,
                TcpFeatures.DEFAULT,
                false,
                NotSentLimit.NONE);
    }

    /** As this one, with these buffer sizes and this minimum RTO and connection limit. */
    public TcpConfig with(
            long minRto, int initialBuffer, int maxReceiveBuffer, int maxSendBuffer, int connectionLimit) {
        Copy copy = new Copy(this);
        copy.minRtoNs = minRto;
        copy.initialBufferBytes = initialBuffer;
        copy.maxReceiveBufferBytes = maxReceiveBuffer;
        copy.maxSendBufferBytes = maxSendBuffer;
        copy.maxConnections = connectionLimit;
        return copy.done();
    }

    /** As this one, with these limits of passive opens. */
    public TcpConfig with(HandshakeConfig limits) {
        Copy copy = new Copy(this);
        copy.handshake = limits;
        return copy.done();
    }

    /** As this one, with these features. */
    public TcpConfig with(TcpFeatures wanted) {
        Copy copy = new Copy(this);
        copy.features = wanted;
        return copy.done();
    }

    /** As this one, with this least age of TIME-WAIT entries whose tuples are used again. */
    public TcpConfig withTimeWaitReuse(long delayNs) {
        Copy copy = new Copy(this);
        copy.timeWaitReuseNs = delayNs;
        return copy.done();
    }

    /** As this one, with this much unsent at most of a writable connection. */
    public TcpConfig withNotSentLow(int bytes) {
        Copy copy = new Copy(this);
        copy.notSentLowBytes = bytes;
        return copy.done();
    }

    /** As this one, with another way to look for the path's MTU. */
    public TcpConfig withMtuProbing(MtuProbing probing) {
        Copy copy = new Copy(this);
        copy.mtuProbing = probing;
        return copy.done();
    }

    /** As this one, with this algorithm and what concerns it. */
    public TcpConfig withCongestion(CongestionAlgorithm algorithm, EcnMode mode, boolean paced) {
        Copy copy = new Copy(this);
        copy.congestionControl = algorithm;
        copy.ecn = mode;
        copy.pacing = paced;
        return copy.done();
    }

    /** What the methods above change; the rest is taken over. */
    private static final class Copy {
        private final TcpConfig from;
        private long minRtoNs;
        private int initialBufferBytes;
        private int maxReceiveBufferBytes;
        private int maxSendBufferBytes;
        private int maxConnections;
        private HandshakeConfig handshake;
        private CongestionAlgorithm congestionControl;
        private MtuProbing mtuProbing;
        private EcnMode ecn;
        private TcpFeatures features;
        private boolean pacing;
        private int notSentLowBytes;
        private long timeWaitReuseNs;

        Copy(TcpConfig from) {
            this.from = from;
            minRtoNs = from.minRtoNs;
            initialBufferBytes = from.initialBufferBytes;
            maxReceiveBufferBytes = from.maxReceiveBufferBytes;
            maxSendBufferBytes = from.maxSendBufferBytes;
            maxConnections = from.maxConnections;
            handshake = from.handshake;
            congestionControl = from.congestionControl;
            mtuProbing = from.mtuProbing;
            ecn = from.ecn;
            features = from.features;
            pacing = from.pacing;
            notSentLowBytes = from.notSentLowBytes;
            timeWaitReuseNs = from.timeWaitReuseNs;
        }

        TcpConfig done() {
            return new TcpConfig(
                    from.shard,
                    minRtoNs,
                    initialBufferBytes,
                    maxReceiveBufferBytes,
                    maxSendBufferBytes,
                    maxConnections,
                    handshake,
                    from.maxTimeWait,
                    from.timeWaitNs,
                    timeWaitReuseNs,
                    from.synRetries,
                    from.synAckRetries,
                    from.retries,
                    from.orphanRetries,
                    from.delayedAckNs,
                    from.finWait2Ns,
                    congestionControl,
                    mtuProbing,
                    ecn,
                    features,
                    pacing,
                    notSentLowBytes);
        }
    }
}
