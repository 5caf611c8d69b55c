package dev.millrace.stack.port;

/**
 * Opens the ports of one kind of link. Found with {@link java.util.ServiceLoader}; a new backend is a class that implements this
 * and a line in {@code META-INF/services}.
 */
public interface LinkFactory {
    /** What stands before the colon of {@code link=…}: {@code tap}, {@code dpdk} … */
    String scheme();

    /** What may be written, for messages: {@code tap:<interface>}. */
    String usage();

    /**
     * Opens the link.
     *
     * @param argument what stood behind the colon, may be empty
     * @throws LinkException with one line: what failed, why, what to do. Nothing is left behind then.
     */
    Port open(String argument, LinkOptions options) throws LinkException;
}
