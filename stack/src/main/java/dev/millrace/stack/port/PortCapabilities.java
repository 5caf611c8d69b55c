package dev.millrace.stack.port;

/**
 * What a port can do for the stack; everything it can't, the stack does itself.
 *
 * @param rxChecksum may mark received packets {@code CHECKSUM_VERIFIED}
 * @param txChecksum honours {@code CHECKSUM_REQUESTED} for TCP over both families
 * @param rss spreads flows over its queues by the Toeplitz hash of {@code ToeplitzHash.KEY} over the 4-tuple, low bits modulo queues
 * @param trusted frames never leave this process, so checksums need be neither made nor verified
 * @param awaitable {@link RxQueue#await} blocks on the device (a file descriptor or a monitor) rather than napping
 */
public record PortCapabilities(
        boolean rxChecksum, boolean txChecksum, boolean rss, boolean trusted, boolean awaitable) {
    public static final PortCapabilities NONE = new PortCapabilities(false, false, false, false, false);
}
