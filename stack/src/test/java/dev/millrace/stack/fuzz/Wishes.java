package dev.millrace.stack.fuzz;

import dev.millrace.stack.tcp.CongestionAlgorithm;
import dev.millrace.stack.tcp.EcnMode;
import dev.millrace.stack.tcp.FastOpenMode;
import dev.millrace.stack.tcp.HandshakeConfig;
import dev.millrace.stack.tcp.MtuProbing;
import dev.millrace.stack.tcp.SynCookieMode;
import dev.millrace.stack.tcp.TcpConfig;
import dev.millrace.stack.tcp.TcpState;

/**
 * What the first two bytes of an input wish: the state to begin in, and what the stack and its peer make use of.
 *
 * @param start state of the connection before the first operation
 * @param v6 the family of the connection
 * @param timestamps the peer offers timestamps
 * @param sack the peer offers selective acknowledgments
 * @param ecn both ask for ECN
 * @param fastOpen both use Fast Open, and a cookie has been given already
 * @param datagrams a datagram socket is open as well
 */
record Wishes(
        TcpState start,
        boolean v6,
        boolean timestamps,
        boolean sack,
        boolean ecn,
        boolean fastOpen,
        boolean datagrams,
        CongestionAlgorithm congestion,
        MtuProbing mtuProbing,
        SynCookieMode synCookies,
        boolean paced) {
    private static final MtuProbing[] PROBING = {MtuProbing.BLACKHOLE, MtuProbing.OFF, MtuProbing.ON};
    private static final SynCookieMode[] COOKIES = {SynCookieMode.ON_OVERFLOW, SynCookieMode.ALWAYS, SynCookieMode.OFF};

    static Wishes of(int first, int second) {
        int state = first % TcpState.values().length;
        int rest = first / TcpState.values().length;
        return new Wishes(
                TcpState.values()[state],
                (second & 1) != 0,
                (second & 2) != 0,
                (second & 4) != 0,
                (second & 0x20) != 0,
                (second & 0x40) != 0,
                (second & 0x80) != 0,
                CongestionAlgorithm.values()[second >> 3 & 3],
                PROBING[rest % 3],
                COOKIES[rest / 3 % 3],
                rest / 9 == 1);
    }

    TcpConfig apply(TcpConfig usual) {
        HandshakeConfig limits = usual.handshake();
        return usual.withCongestion(congestion, ecn ? EcnMode.ON : EcnMode.PASSIVE, paced)
                .withMtuProbing(mtuProbing)
                .with(new HandshakeConfig(
                        limits.maxHalfOpen(),
                        limits.maxHalfOpenPerListener(),
                        synCookies,
                        fastOpen ? FastOpenMode.ON : FastOpenMode.OFF));
    }

    /** The state that the connection is in at first; where every SYN is answered with a cookie nothing remembers it. */
    TcpState reached() {
        boolean forgotten = synCookies == SynCookieMode.ALWAYS && start == TcpState.SYN_RECEIVED;
        return forgotten ? TcpState.LISTEN : start;
    }
}
