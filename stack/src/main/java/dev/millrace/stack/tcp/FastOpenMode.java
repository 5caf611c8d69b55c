package dev.millrace.stack.tcp;

import java.util.Arrays;

/** Who uses TCP Fast Open (RFC 7413): the two lower bits of Linux' tcp_fastopen. */
public enum FastOpenMode {
    OFF("off", false, false, false),
    /** As Linux out of the box: a connect that has data may send it with the SYN. */
    CLIENT("client", true, false, false),
    /** Listeners take data with the SYN. Every application behind them must bear to be told the same twice (§6.1). */
    SERVER("server", false, true, false),
    ON("on", true, true, false),
    /**
     * Every connect to a server that has given us a cookie succeeds at once, and its SYN waits a little for the first bytes written (Linux'
     * TCP_FASTOPEN_CONNECT): for java.nio, where no connect has data. That nobody answers is then the first read's or write's error.
     */
    CONNECT("connect", true, false, true),
    ALL("all", true, true, true);

    private final String text;
    private final boolean client;
    private final boolean server;
    private final boolean defersConnects;

    FastOpenMode(String text, boolean client, boolean server, boolean defersConnects) {
        this.text = text;
        this.client = client;
        this.server = server;
        this.defersConnects = defersConnects;
    }

    /**
     * The mode of that name.
     *
     * @throws IllegalArgumentException for any other name
     */
    public static FastOpenMode of(String text) {
        return Arrays.stream(values())
                .filter(mode -> mode.text.equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown Fast Open mode"));
    }

    boolean client() {
        return client;
    }

    boolean server() {
        return server;
    }

    boolean defersConnects() {
        return defersConnects;
    }
}
