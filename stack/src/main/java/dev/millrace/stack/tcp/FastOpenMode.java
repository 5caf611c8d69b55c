package dev.millrace.stack.tcp;

import java.util.Arrays;

/** Who uses TCP Fast Open (RFC 7413): the two lower bits of Linux' tcp_fastopen. */
public enum FastOpenMode {
    OFF("off", false, false),
    /** As Linux out of the box: a connect that has data may send it with the SYN. */
    CLIENT("client", true, false),
    /** Listeners take data with the SYN. Every application behind them must bear to be told the same twice (§6.1). */
    SERVER("server", false, true),
    ON("on", true, true);

    private final String text;
    private final boolean client;
    private final boolean server;

    FastOpenMode(String text, boolean client, boolean server) {
        this.text = text;
        this.client = client;
        this.server = server;
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
}
