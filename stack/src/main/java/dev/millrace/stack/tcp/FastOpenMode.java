package dev.millrace.stack.tcp;

/** Who uses TCP Fast Open (RFC 7413): the two lower bits of Linux' tcp_fastopen. */
public enum FastOpenMode {
    OFF(false, false),
    /** As Linux out of the box: a connect that has data may send it with the SYN. */
    CLIENT(true, false),
    /** Listeners take data with the SYN. Every application behind them must bear to be told the same twice (§6.1). */
    SERVER(false, true),
    ON(true, true);

    private final boolean client;
    private final boolean server;

    FastOpenMode(boolean client, boolean server) {
        this.client = client;
        this.server = server;
    }

    boolean client() {
        return client;
    }

    boolean server() {
        return server;
    }
}
