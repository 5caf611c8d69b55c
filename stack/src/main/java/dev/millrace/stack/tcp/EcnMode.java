package dev.millrace.stack.tcp;

import java.util.Arrays;

/** Whether connections use Explicit Congestion Notification (RFC 3168), in Linux' three choices of {@code tcp_ecn}. */
public enum EcnMode {
    /** Never ({@code tcp_ecn=0}). */
    OFF("off"),
    /** When the peer asks for it; the default, as Linux' ({@code tcp_ecn=2}). */
    PASSIVE("passive"),
    /** Also asked for in our own SYNs ({@code tcp_ecn=1}). */
    ON("on");

    private final String text;

    EcnMode(String text) {
        this.text = text;
    }

    /** As it is written in settings. */
    public String text() {
        return text;
    }

    /**
     * The mode of that name.
     *
     * @throws IllegalArgumentException for any other name
     */
    public static EcnMode of(String text) {
        return Arrays.stream(values())
                .filter(mode -> mode.text.equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown ECN mode"));
    }
}
