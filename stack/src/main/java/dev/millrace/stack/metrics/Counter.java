package dev.millrace.stack.metrics;

/**
 * Everything a core counts. The text says what one more means, in the words of {@code nstat} and the RFCs where they have some.
 * Each frame that is not delivered increments exactly one counter whose name begins with {@code DROP_}.
 */
public enum Counter {
    // link
    RX_FRAMES("frames received"),
    RX_BYTES("bytes received, Ethernet headers included"),
    TX_FRAMES("frames handed to the port"),
    TX_BYTES("bytes handed to the port, Ethernet headers included"),
    TX_RING_FULL("a frame had to wait because the port took no more"),
    DROP_NO_PACKET("a packet could not be sent because the packet pool was empty"),

    // link layer
    DROP_FRAME_TOO_SHORT("a frame was shorter than its Ethernet header"),
    DROP_FRAME_NOT_FOR_US("a frame was for another station"),
    DROP_FRAME_OWN("a frame came from our own hardware address: reflected, or another station has the same"),
    DROP_FRAME_TYPE("a frame was neither IPv4, IPv6 nor ARP"),
    DROP_OUTPUT_OVERFLOW("a frame to send was discarded because more than the ring and its backlog hold were ready"),

    // neighbours
    ARP_REQUESTS_ANSWERED("ARP requests for an own address answered"),
    NEIGHBOR_SOLICITATIONS_ANSWERED("neighbour solicitations for an own address answered"),
    NEIGHBORS_RESOLVED("hardware addresses found out"),
    NEIGHBORS_EVICTED("a neighbour was forgotten because the table was full"),
    ADDRESSES_GIVEN_UP("an own address was given up because another host has it"),
    DROP_ADDRESS_CONFLICT("another host claimed an own address"),
    DROP_ARP_MALFORMED("an ARP packet was not one for IPv4 over Ethernet"),
    DROP_ARP_MARTIAN("an ARP packet came from an address that is not on the link"),
    DROP_ARP_NOT_FOR_US("an ARP request asked for another host"),
    DROP_ND_INVALID("a neighbour discovery or listener message broke the rules of RFC 4861 §6.1 or 7.1"),
    DROP_ND_NOT_FOR_US("a neighbour discovery or listener message did not concern us"),
    DROP_NEIGHBOR_QUEUE_FULL("a packet to send was discarded because too many waited for a hardware address"),
    DROP_NEIGHBOR_UNRESOLVED("a packet to send was discarded because its next hop does not answer"),

    // ip
    PACKETS_REASSEMBLED("packets put together from fragments"),
    DROP_IPV4_MALFORMED("an IPv4 header contradicted itself or the frame's length"),
    DROP_IPV4_CHECKSUM("an IPv4 header checksum was wrong"),
    DROP_IPV4_OPTION("an IPv4 option did not fit the header"),
    DROP_IPV4_SOURCE_ROUTE("an IPv4 packet asked for source routing"),
    DROP_IPV6_MALFORMED("an IPv6 header contradicted the frame's length"),
    DROP_IPV6_EXTENSION("IPv6 extension headers were malformed, too many, or of unknown kinds"),
    DROP_IP_MARTIAN("a packet had an address that cannot be on its way here"),
    DROP_IP_NOT_FOR_US("a packet was for another host"),
    DROP_IP_GROUP("a broadcast or multicast packet that nobody here listens to"),
    DROP_UNKNOWN_PROTOCOL("a packet of a protocol that is not spoken here"),
    DROP_FRAGMENT_MALFORMED("a fragment had an impossible length, or the whole packet would have"),
    DROP_FRAGMENT_DUPLICATE("a fragment came twice"),
    DROP_FRAGMENT_OVERLAP("a fragment of a packet whose fragments overlap"),
    DROP_FRAGMENT_BUDGET("a fragment of a packet that gave way to newer ones, or came in too many pieces"),
    DROP_FRAGMENT_RELAY("a packet put together from fragments could not be brought to its shard"),
    DROP_FRAGMENT_TIMEOUT("a fragment whose packet was not complete in time"),

    // icmp
    ICMP_ECHOS_ANSWERED("echo requests answered"),
    ICMP_ERRORS_RECEIVED("errors about own packets handed to TCP or UDP, those of unresolved next hops included"),
    ICMP_ERRORS_SENT("errors sent about packets that could not be delivered"),
    ICMP_ERRORS_WITHHELD("errors not sent because of the rate limit or for want of packets"),
    DROP_ICMP_MALFORMED("an ICMP message was too short or its checksum wrong"),
    DROP_ICMP_IGNORED("an ICMP message of a kind that is not served here"),
    DROP_ICMP_NOT_ABOUT_US("an ICMP error quoted nothing that this host sends"),
    DROP_ICMP_RATE("an echo request was not answered because of the rate limit or for want of packets"),

    // what reached the upper layers' doors
    DROP_UDP_MALFORMED("a UDP datagram's length or checksum was wrong"),
    DROP_UDP_NO_PORT("a UDP datagram for a port that is not open"),
    DROP_UDP_RECEIVE_BUFFER_FULL("a UDP datagram for a socket whose receive buffer was full"),
    DROP_UDP_NO_MEMORY("a UDP datagram for which buffer memory was used up"),
    DROP_TCP_MALFORMED("a TCP header did not fit its segment"),
    DROP_TCP_FLAGS("a TCP segment had flags that belong to no state of any connection"),
    DROP_TCP_CHECKSUM("a TCP checksum was wrong"),

    // udp
    UDP_IN_DATAGRAMS("datagrams put into a socket's receive buffer"),
    UDP_OUT_DATAGRAMS("datagrams sent"),
    UDP_OUT_FRAGMENTED("datagrams sent in fragments"),
    UDP_OUTPUT_BLOCKED("a datagram to send had to wait because no packet was to be had"),
    UDP_SEND_NO_ROUTE("a datagram to send was discarded because there is no route to its destination"),
    UDP_SEND_TOO_BIG("a datagram to send was discarded because the path does not take it and fragments were forbidden"),

    // tcp
    TCP_IN_SEGMENTS("segments received, bad ones excluded"),
    TCP_OUT_SEGMENTS("segments sent, retransmissions and resets included"),
    TCP_RETRANSMITTED_SEGMENTS("segments sent again"),
    TCP_OUT_RSTS("resets sent"),
    TCP_RESETS_RECEIVED("resets that ended a connection"),
    TCP_ACTIVE_OPENS("connections opened from here"),
    TCP_PASSIVE_OPENS("connections accepted"),
    TCP_ATTEMPT_FAILS("handshakes that failed"),
    TCP_SYN_COOKIES_SENT("SYNs answered with a cookie because too many handshakes were under way (SyncookiesSent)"),
    TCP_SYN_COOKIES_RECEIVED("final ACKs that brought a valid cookie (SyncookiesRecv)"),
    TCP_SYN_COOKIES_FAILED("ACKs that could have brought a cookie and did not (SyncookiesFailed)"),
    TCP_FAST_OPEN_ACTIVE("SYNs with data that the peer acknowledged (TCPFastOpenActive)"),
    TCP_FAST_OPEN_ACTIVE_FAIL("SYNs with data that the peer did not take (TCPFastOpenActiveFail)"),
    TCP_FAST_OPEN_BLACK_HOLES(
            "times Fast Open was given up for a while because connections with it stalled (TCPFastOpenBlackhole)"),
    TCP_FAST_OPEN_PASSIVE("connections opened by a SYN with a good cookie (TCPFastOpenPassive)"),
    TCP_FAST_OPEN_PASSIVE_FAIL("Fast Open cookies that were wrong or too old (TCPFastOpenPassiveFail)"),
    TCP_FAST_OPEN_LISTEN_OVERFLOW("SYNs with a good cookie handled as others because too many such connections waited"),
    TCP_PURE_ACKS("ACKs sent without data"),
    TCP_DELAYED_ACKS("ACKs sent because the delayed-ACK timer expired"),
    TCP_CHALLENGE_ACKS("ACKs sent in answer to segments that may be forged (RFC 5961)"),
    TCP_CHALLENGE_ACKS_WITHHELD("such ACKs not sent because of the rate limit"),
    TCP_TIMEOUTS("retransmission timeouts"),
    TCP_SPURIOUS_TIMEOUTS("retransmission timeouts that F-RTO found needless (RFC 5682)"),
    TCP_FAST_RECOVERIES("times that a loss was found and the window reduced, without a timeout"),
    TCP_LOST_RETRANSMISSIONS("times that retransmissions were found lost, too"),
    TCP_REDUCTIONS_UNDONE("times that the window was restored because nothing had been lost"),
    TCP_LOSS_PROBES("tail loss probes (RFC 8985 §7)"),
    TCP_DSACKS_RECEIVED("segments that the peer reports as received twice (RFC 2883)"),
    TCP_SACK_RENEGING("times that the peer had discarded what it had SACKed (RFC 2018 §8)"),
    TCP_MTU_BLACK_HOLES("segments made smaller because full ones timed out repeatedly (RFC 4821)"),
    TCP_MTU_PROBES("larger segments sent to find out whether the path takes them"),
    TCP_MTU_PROBES_DELIVERED("such segments acknowledged, so that others follow in their size"),
    TCP_WINDOW_PROBES("probes of a closed window"),
    TCP_KEEPALIVE_PROBES("keepalive probes"),
    TCP_CE_RECEIVED("segments with text received that a router had marked for congestion (RFC 3168)"),
    TCP_ECN_REDUCTIONS("reductions of a congestion window because the peer told of such marks"),
    TCP_OUT_OF_ORDER("segments received beyond a gap"),
    TCP_RECEIVE_MEMORY_SHORT("received bytes were not taken because buffer memory was used up"),
    TCP_OUTPUT_BLOCKED("a segment had to wait because no packet was to be had"),
    TCP_ABORT_ON_CLOSE("connections reset because the application closed with bytes unread"),
    TCP_ABORT_ON_DATA("connections reset because data came after the application had closed"),
    TCP_ABORT_ON_TIMEOUT("connections given up after retransmissions, probes or the user timeout"),
    TCP_ABORT_ON_MEMORY("connections reset whose peers kept their windows closed while buffer memory was used up"),
    TCP_OUT_OF_ORDER_REFUSED("segments beyond a gap dropped to keep the last of the buffer memory for bytes in order"),
    TCP_TIME_WAIT("connections that went through TIME-WAIT"),
    TCP_TIME_WAIT_REUSED("TIME-WAIT entries that gave way to a new connection of the same tuple"),
    TCP_TIME_WAIT_OVERFLOW("TIME-WAIT entries dropped early because there were too many"),
    TCP_ICMP_OUT_OF_WINDOW("ICMP errors ignored because what they quote is not in flight (RFC 5927)"),
    DROP_TCP_NO_CONNECTION("segment for no connection and no listener; answered with RST"),
    DROP_TCP_NO_ROUTE("SYN whose sender cannot be reached"),
    DROP_TCP_LISTEN_OVERFLOW("SYN or final ACK dropped because the accept queue was full"),
    DROP_TCP_HALF_OPEN_FULL("SYN dropped because too many handshakes were under way"),
    DROP_TCP_REPEATED_SYN("SYN received again before the handshake was complete"),
    DROP_TCP_UNEXPECTED_SYN("SYN inside a connection (RFC 5961 §4)"),
    DROP_TCP_UNEXPECTED("segment without the flags its connection's state asks for"),
    DROP_TCP_OUT_OF_WINDOW("segment outside the receive window, duplicates included"),
    DROP_TCP_OLD_TIMESTAMP("segment with an old timestamp (PAWS, RFC 7323 §5)"),
    DROP_TCP_NO_TIMESTAMP("segment without the timestamp that was agreed on (RFC 7323 §3.2)"),
    DROP_TCP_BAD_ACK("segment that acknowledges what was not sent, or long ago (RFC 5961 §5)"),
    DROP_TCP_BAD_RESET("reset that is not at RCV.NXT (RFC 5961 §3)"),
    DROP_TCP_AFTER_FIN("text after the peer's FIN"),
    DROP_TCP_RESET_IN_TIME_WAIT("reset in TIME-WAIT (RFC 1337)"),
    DROP_TCP_IN_TIME_WAIT("segment in TIME-WAIT"),

    // core
    CORE_TURNS("turns of the core"),
    CORE_INVARIANT_BROKEN("a broken invariant was met; the connection concerned was reset");

    private final String meaning;

    Counter(String meaning) {
        this.meaning = meaning;
    }

    /** One line for people. */
    public String meaning() {
        return meaning;
    }

    /** True when one more means that a frame was discarded. */
    public boolean isDrop() {
        return name().startsWith("DROP_");
    }
}
