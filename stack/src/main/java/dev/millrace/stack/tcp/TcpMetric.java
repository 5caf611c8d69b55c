package dev.millrace.stack.tcp;

import org.jspecify.annotations.Nullable;

/**
 * What a connection tells of itself, under the names, in the units and in the order of Linux' {@code struct tcp_info} (tcp(7),
 * {@code linux/tcp.h}). Windows of congestion control are in segments of the present size, rounded up, since this stack counts them in
 * bytes. What Linux counts and this stack does not have is missing: segments rehashed, receiver-side round trips, offload.
 */
public enum TcpMetric {
    /** Linux' number of the state: 1 ESTABLISHED, 2 SYN-SENT, 3 SYN-RECEIVED, 4 and 5 FIN-WAIT, 6 TIME-WAIT, 7 CLOSED, … */
    STATE("tcpi_state", (c, r, nowNs) -> linuxState(c.state())),
    /** Loss recovery: 0 open, 1 disorder, 2 reduced because of ECN, 3 fast recovery, 4 after a timeout. */
    CA_STATE("tcpi_ca_state", (c, r, nowNs) -> r.state),
    /** Retransmission timeouts in a row. */
    RETRANSMITS("tcpi_retransmits", (c, r, nowNs) -> c.retries.timeouts()),
    /** Window or keepalive probes without an answer. */
    PROBES("tcpi_probes", (c, r, nowNs) -> c.retries.unansweredProbes()),
    /** Doublings of the retransmission timeout, or of the window probes' interval, in force. */
    BACKOFF("tcpi_backoff", (c, r, nowNs) -> Math.max(c.sender.rtt.backOffs(), c.retries.windowBackOff())),
    /** Bits: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN agreed, 16 ECN-capable packets seen, 32 data of a SYN was taken. */
    OPTIONS("tcpi_options", (c, r, nowNs) -> TcpMetrics.optionBits(c)),
    /** The peer's window shift. */
    SND_WSCALE("tcpi_snd_wscale", (c, r, nowNs) -> c.receiver.scalingOffered ? c.sender.window.scale : 0),
    /** Our window shift. */
    RCV_WSCALE("tcpi_rcv_wscale", (c, r, nowNs) -> c.receiver.scalingOffered ? c.receiver.window.scale : 0),
    /** 1: the delivery rate was measured while the application had too little to send. */
    DELIVERY_RATE_APP_LIMITED("tcpi_delivery_rate_app_limited", (c, r, nowNs) -> r.rateAppLimited ? 1 : 0),
    /** Retransmission timeout, back-off included, µs. */
    RTO("tcpi_rto", (c, r, nowNs) -> micros(c.sender.rtt.rtoNs())),
    /** How long an acknowledgment may be delayed, µs. */
    ATO("tcpi_ato", (c, r, nowNs) -> micros(c.tcp.config.delayedAckNs())),
    /** Payload of a full segment we send, bytes. */
    SND_MSS("tcpi_snd_mss", (c, r, nowNs) -> c.sender.segmentBytes()),
    /** Payload of a full segment of the peer's, as far as seen, bytes. */
    RCV_MSS("tcpi_rcv_mss", (c, r, nowNs) -> c.receiver.acks.fullSegment()),
    /** Segments in flight. */
    UNACKED("tcpi_unacked", (c, r, nowNs) -> r.inFlightSegments),
    /** Of these, reported by SACK or by duplicate acknowledgments. */
    SACKED("tcpi_sacked", (c, r, nowNs) -> r.sackedSegments),
    /** Of these, deemed lost. */
    LOST("tcpi_lost", (c, r, nowNs) -> r.lostSegments),
    /** Of these, sent again. */
    RETRANS("tcpi_retrans", (c, r, nowNs) -> r.retransmittedSegments),
    /** Since we sent data last, ms. */
    LAST_DATA_SENT("tcpi_last_data_sent", (c, r, nowNs) -> sinceMs(c.sender.transmitter.lastSentNs(), nowNs)),
    /** Since data was received last, or before any since the connection was established, ms. */
    LAST_DATA_RECV(
            "tcpi_last_data_recv",
            (c, r, nowNs) -> sinceMs(Math.max(c.receiver.acks.lastTextNs(), c.tally.establishedNs), nowNs)),
    /** Since the peer was heard last, ms. */
    LAST_ACK_RECV("tcpi_last_ack_recv", (c, r, nowNs) -> sinceMs(c.retries.heardNs(), nowNs)),
    /** Largest packet that the path takes, IP header included, bytes. */
    PMTU("tcpi_pmtu", (c, r, nowNs) -> c.path.mtu()),
    /** Largest window that we would offer now, bytes. */
    RCV_SSTHRESH("tcpi_rcv_ssthresh", (c, r, nowNs) -> c.receiver.window.capacity()),
    /** Smoothed round trip, µs; 0 before the first sample. */
    RTT("tcpi_rtt", (c, r, nowNs) -> micros(c.sender.rtt.smoothedRttNs())),
    /** Its mean deviation, µs. */
    RTTVAR("tcpi_rttvar", (c, r, nowNs) -> micros(c.sender.rtt.rttVariationNs())),
    /** Slow start threshold, segments; 0x7fffffff while there is none. */
    SND_SSTHRESH("tcpi_snd_ssthresh", (c, r, nowNs) -> TcpMetrics.threshold(c.sender)),
    /** Congestion window, segments. */
    SND_CWND("tcpi_snd_cwnd", (c, r, nowNs) -> TcpMetrics.segments(c.sender, c.sender.cwndBytes())),
    /** The MSS that we offered, bytes. */
    ADVMSS("tcpi_advmss", (c, r, nowNs) -> SegmentWriter.offeredMss(c.path, c.options())),
    /** How many segments have overtaken another, 3 unless it was more. */
    REORDERING("tcpi_reordering", (c, r, nowNs) -> r.reorderingDegree),
    /** Bytes that the application took in a round trip, as receive auto-tuning last measured it. */
    RCV_SPACE("tcpi_rcv_space", (c, r, nowNs) -> c.receiver.window.readPerRoundTripBytes()),
    /** Segments sent again in all. */
    TOTAL_RETRANS("tcpi_total_retrans", (c, r, nowNs) -> c.tally.retransmissions),
    /** Bytes per second at which segments leave if they are paced. */
    PACING_RATE("tcpi_pacing_rate", (c, r, nowNs) -> c.sender.pacingRate()),
    /** Bytes acknowledged by the peer; our SYN, if we opened actively, and our FIN count as one each (RFC 4898). */
    BYTES_ACKED("tcpi_bytes_acked", (c, r, nowNs) -> TcpMetrics.acknowledgedBytes(c)),
    /** Bytes received in order; the peer's FIN counts as one (RFC 4898). */
    BYTES_RECEIVED("tcpi_bytes_received", (c, r, nowNs) -> c.receiver.nxt),
    /** Segments sent, of any kind. */
    SEGS_OUT("tcpi_segs_out", (c, r, nowNs) -> c.tally.segmentsOut),
    /** Segments received, of any kind. */
    SEGS_IN("tcpi_segs_in", (c, r, nowNs) -> c.tally.segmentsIn),
    /** Bytes written and not sent yet. */
    NOTSENT_BYTES("tcpi_notsent_bytes", (c, r, nowNs) -> c.sender.unsentBytes()),
    /** Smallest round trip, µs; 0xffffffff before the first sample. */
    MIN_RTT("tcpi_min_rtt", (c, r, nowNs) -> TcpMetrics.minimumRttUs(c.sender.rtt)),
    /** Segments with data received. */
    DATA_SEGS_IN("tcpi_data_segs_in", (c, r, nowNs) -> c.tally.dataSegmentsIn),
    /** Segments with data sent, retransmissions included. */
    DATA_SEGS_OUT("tcpi_data_segs_out", (c, r, nowNs) -> c.tally.dataSegmentsOut),
    /** Bytes per second that the network has delivered, by the newest sample. */
    DELIVERY_RATE("tcpi_delivery_rate", (c, r, nowNs) -> r.deliveryRate),
    /** Time with data unsent or unacknowledged, µs. */
    BUSY_TIME("tcpi_busy_time", (c, r, nowNs) -> micros(c.tally.busyNs(nowNs))),
    /** Of this, limited by the peer's window, µs. */
    RWND_LIMITED("tcpi_rwnd_limited", (c, r, nowNs) -> micros(c.tally.windowLimitedNs(nowNs))),
    /** Of this, limited by the send buffer's size, µs. */
    SNDBUF_LIMITED("tcpi_sndbuf_limited", (c, r, nowNs) -> micros(c.tally.bufferLimitedNs(nowNs))),
    /** Segments known to have arrived, our SYN included. */
    DELIVERED("tcpi_delivered", (c, r, nowNs) -> r.deliveredSegments),
    /** Of these, acknowledged together with an echo of a congestion mark. */
    DELIVERED_CE("tcpi_delivered_ce", (c, r, nowNs) -> r.deliveredMarkedSegments),
    /** Bytes sent, retransmissions included. */
    BYTES_SENT("tcpi_bytes_sent", (c, r, nowNs) -> c.tally.bytesOut),
    /** Of these, sent again. */
    BYTES_RETRANS("tcpi_bytes_retrans", (c, r, nowNs) -> c.tally.bytesRetransmitted),
    /** D-SACK blocks received. */
    DSACK_DUPS("tcpi_dsack_dups", (c, r, nowNs) -> r.duplicatesReported),
    /** How often segments were seen to overtake others. */
    REORD_SEEN("tcpi_reord_seen", (c, r, nowNs) -> r.reorderings),
    /** Segments received beyond a gap. */
    RCV_OOOPACK("tcpi_rcv_ooopack", (c, r, nowNs) -> c.receiver.outOfOrderSegments()),
    /** The peer's window, bytes. */
    SND_WND("tcpi_snd_wnd", (c, r, nowNs) -> c.sender.window.bytes()),
    /** What is left of the window that we have offered, bytes. */
    RCV_WND("tcpi_rcv_wnd", (c, r, nowNs) -> Math.max(0, c.receiver.window.edge - c.receiver.nxt)),
    /** Retransmission timeouts in all. */
    TOTAL_RTO("tcpi_total_rto", (c, r, nowNs) -> c.retries.totalTimeouts());

    /** Reads one figure off a connection; core thread. */
    interface Reader {
        long read(TcpConnection connection, RecoveryFigures recovery, long nowNs);
    }

    private static final TcpMetric[] ALL = values();

    private final String linuxName;

    @SuppressWarnings("ImmutableEnumChecker") // they capture nothing
    private final Reader reader;

    TcpMetric(String linuxName, Reader reader) {
        this.linuxName = linuxName;
        this.reader = reader;
    }

    /** The field's name in {@code struct tcp_info}. */
    public String linuxName() {
        return linuxName;
    }

    long read(TcpConnection connection, RecoveryFigures recovery, long nowNs) {
        return reader.read(connection, recovery, nowNs);
    }

    static int count() {
        return ALL.length;
    }

    static TcpMetric at(int index) {
        return ALL[index];
    }

    /** The one of that name, or null. */
    static @Nullable TcpMetric named(@Nullable Object linuxName) {
        for (TcpMetric metric : ALL) {
            if (metric.linuxName.equals(linuxName)) {
                return metric;
            }
        }
        return null;
    }

    static long linuxState(TcpState state) {
        return switch (state) {
            case ESTABLISHED -> 1;
            case SYN_SENT -> 2;
            case SYN_RECEIVED -> 3;
            case FIN_WAIT_1 -> 4;
            case FIN_WAIT_2 -> 5;
            case TIME_WAIT -> 6;
            case CLOSED -> 7;
            case CLOSE_WAIT -> 8;
            case LAST_ACK -> 9;
            case LISTEN -> 10;
            case CLOSING -> 11;
        };
    }

    private static long micros(long ns) {
        return ns / 1_000;
    }

    private static long sinceMs(long thenNs, long nowNs) {
        return thenNs == 0 ? 0 : Math.max(0, nowNs - thenNs) / 1_000_000;
    }
}
