package dev.millrace.compat.simulate;

import dev.millrace.stack.tcp.CongestionAlgorithm;
import dev.millrace.stack.tcp.EcnMode;
import dev.millrace.stack.tcp.FastOpenMode;
import dev.millrace.stack.tcp.HandshakeConfig;
import dev.millrace.stack.tcp.MtuProbing;
import dev.millrace.stack.tcp.SynCookieMode;
import dev.millrace.stack.tcp.TcpConfig;
import java.util.SplittableRandom;

/**
 * What a host's TCP makes use of.
 *
 * @param paced segments of every algorithm leave at its rate
 * @param maxHalfOpen handshakes under way; few make cookies necessary
 * @param notSentLowBytes what may wait unsent; few make writers wait
 */
record TcpPlan(
        CongestionAlgorithm congestion,
        EcnMode ecn,
        FastOpenMode fastOpen,
        MtuProbing mtuProbing,
        boolean paced,
        SynCookieMode synCookies,
        int maxHalfOpen,
        int notSentLowBytes) {

    static final int MANY = 4096;

    static final int UNLIMITED = Integer.MAX_VALUE;

    static TcpPlan draw(SplittableRandom random) {
        return new TcpPlan(
                any(random, CongestionAlgorithm.values()),
                any(random, EcnMode.values()),
                any(random, FastOpenMode.values()),
                any(random, MtuProbing.values()),
                random.nextInt(5) == 0,
                // without cookies a full table makes handshakes fail, and they may
                random.nextInt(6) == 0 ? SynCookieMode.ALWAYS : SynCookieMode.ON_OVERFLOW,
                random.nextInt(6) == 0 ? 1 + random.nextInt(4) : MANY,
                random.nextInt(4) == 0 ? 1 + random.nextInt(64 << 10) : UNLIMITED);
    }

    private static <T> T any(SplittableRandom random, T[] values) {
        return values[random.nextInt(values.length)];
    }

    TcpConfig apply(TcpConfig usual) {
        return usual.withCongestion(congestion, ecn, paced)
                .withMtuProbing(mtuProbing)
                .withNotSentLow(notSentLowBytes)
                .with(new HandshakeConfig(maxHalfOpen, maxHalfOpen, synCookies, fastOpen));
    }

    /** May send SYN cookies. */
    boolean forgetsHandshakes() {
        return synCookies == SynCookieMode.ALWAYS || maxHalfOpen < MANY;
    }

    /** A connect may succeed before anybody has answered: a close right after it would give the connection up, as on Linux. */
    boolean defersConnects() {
        return fastOpen == FastOpenMode.CONNECT || fastOpen == FastOpenMode.ALL;
    }
}
