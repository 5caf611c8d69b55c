package dev.millrace.stack.port;

/**
 * What a port has lost outside the stack's sight, since it was opened.
 *
 * @param rxDropped frames the device or ring dropped before the stack could take them
 * @param rxErrors frames refused as malformed or too large
 * @param txDropped frames handed over and then lost
 */
public record PortStatistics(long rxDropped, long rxErrors, long txDropped) {
    public static final PortStatistics NONE = new PortStatistics(0, 0, 0);
}
