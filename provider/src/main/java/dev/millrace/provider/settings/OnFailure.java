package dev.millrace.provider.settings;

/** What happens when Millrace cannot start with its settings. */
public enum OnFailure {
    /** The agent ends the JVM before the application starts; in the plain SPI way each {@code open} fails. */
    STOP("stop"),
    /** Every socket is the kernel's, and the start line says so. */
    KERNEL("kernel");

    private final String text;

    OnFailure(String text) {
        this.text = text;
    }

    public String text() {
        return text;
    }
}
