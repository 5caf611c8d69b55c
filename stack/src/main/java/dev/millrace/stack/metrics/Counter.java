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

    // ip: extended by the ip package

    // tcp: extended by the tcp package

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
