package dev.millrace.provider.nio;

import dev.millrace.stack.tcp.TcpOptions;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketOption;
import java.nio.channels.NetworkChannel;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A channel's socket options: what the application set, checked and rounded as Linux does, kept until {@code bind} or {@code connect}
 * decides where the socket lives, and then either replayed to a kernel channel or applied to the stack's {@link TcpOptions}.
 *
 * <p>Changed under the channel's state lock; the values are copied on write, so that any thread may read them, and so that a listener and its many
 * accepted connections share one map.
 */
final class RecordedOptions {
    /** Linux keeps probes and times of keepalive in this range; beyond it {@code setsockopt} says EINVAL. */
    private static final int MAX_KEEP_SECONDS = 32767;

    private static final int MAX_KEEP_COUNT = 127;
    /** Smallest buffers Linux gives, as the JDK reports them. */
    private static final int MIN_SEND_BUFFER = 2304;

    private static final int MIN_RECEIVE_BUFFER = 1152;
    /** {@code net.core.wmem_max} and {@code rmem_max} of current kernels. */
    private static final int MAX_BUFFER = 4 << 20;

    private static final int MAX_LINGER_SECONDS = 65535;

    private final KernelOptions kernel;
    private volatile Map<String, Object> values;

    RecordedOptions(KernelOptions kernel) {
        this(kernel, Map.of());
    }

    private RecordedOptions(KernelOptions kernel, Map<String, Object> values) {
        this.kernel = kernel;
        this.values = values;
    }

    /** Those of a connection accepted from the listener with these options: all of them. */
    RecordedOptions inherited(KernelOptions client) {
        return new RecordedOptions(client, values);
    }

    /** For a listener: records its defaults that differ from a client's, so that its connections inherit them. */
    RecordedOptions withListenerDefaults() {
        put("SO_REUSEADDR", kernel.defaultOf("SO_REUSEADDR"));
        return this;
    }

    Set<SocketOption<?>> supported() {
        return kernel.supported();
    }

    /** @throws UnsupportedOperationException if this kind of channel has no such option */
    void checkSupported(SocketOption<?> name) {
        if (!supported().contains(Objects.requireNonNull(name))) {
            throw new UnsupportedOperationException("'" + name + "' not supported");
        }
    }

    /** @throws IllegalArgumentException if the value is of the wrong type */
    <T> void checkSettable(SocketOption<T> name, T value) {
        checkSupported(name);
        if (!name.type().isInstance(value)) {
            throw new IllegalArgumentException("Invalid value '" + value + "'");
        }
    }

    /** Records a value that {@link #checkSettable} let pass. */
    void set(SocketOption<?> name, Object value) throws SocketException {
        put(name.name(), rounded(name.name(), value));
    }

    private void put(String name, Object value) {
        Map<String, Object> changed = new HashMap<>(values);
        changed.put(name, value);
        values = changed;
    }

    private static Object rounded(String name, Object value) throws SocketException {
        return switch (name) {
            case "SO_SNDBUF" -> bufferBytes((Integer) value, MIN_SEND_BUFFER);
            case "SO_RCVBUF" -> bufferBytes((Integer) value, MIN_RECEIVE_BUFFER);
            case "SO_LINGER" -> Math.max(-1, Math.min((Integer) value, MAX_LINGER_SECONDS));
            case "IP_TOS" -> trafficClass((Integer) value);
            case "TCP_KEEPIDLE", "TCP_KEEPINTERVAL" -> inRange((Integer) value, MAX_KEEP_SECONDS);
            case "TCP_KEEPCOUNT" -> inRange((Integer) value, MAX_KEEP_COUNT);
            case "SO_INCOMING_NAPI_ID" -> throw new SocketException("Attempt to set read only option " + name);
            default -> value;
        };
    }

    private static int bufferBytes(int asked, int atLeast) {
        if (asked < 0) {
            throw new IllegalArgumentException("Invalid send/receive buffer size");
        }
        return Math.max(atLeast, Math.min(asked, MAX_BUFFER));
    }

    private static int trafficClass(int octet) {
        if (octet < 0 || octet > 255) {
            throw new IllegalArgumentException("Invalid IP_TOS value");
        }
        return octet & ~3; // the ECN bits are TCP's own (RFC 3168 §6.1)
    }

    private static int inRange(int value, int atMost) throws SocketException {
        if (value < 1 || value > atMost) {
            throw new SocketException("Invalid argument");
        }
        return value;
    }

    @SuppressWarnings("unchecked") // set() stores what checkSettable() found to be of the option's type
    <T> T get(SocketOption<T> name) {
        return (T) value(name.name());
    }

    private Object value(String name) {
        Object value = values.get(name);
        return value == null ? kernel.defaultOf(name) : value;
    }

    /** SO_LINGER in seconds, −1 when off. */
    int lingerSeconds() {
        return (Integer) value("SO_LINGER");
    }

    /** Everything recorded, as the stack wants it; what was never set keeps the stack's default. */
    void applyTo(TcpOptions options) {
        options.noDelay = isSet("TCP_NODELAY");
        options.keepAlive = isSet("SO_KEEPALIVE");
        options.keepIdleSeconds = (Integer) value("TCP_KEEPIDLE");
        options.keepIntervalSeconds = (Integer) value("TCP_KEEPINTERVAL");
        options.keepCount = (Integer) value("TCP_KEEPCOUNT");
        options.receiveBufferBytes = (Integer) values.getOrDefault("SO_RCVBUF", 0);
        options.sendBufferBytes = (Integer) values.getOrDefault("SO_SNDBUF", 0);
        options.trafficClass = (Integer) value("IP_TOS");
        options.oobInline = isSet("SO_OOBINLINE");
        options.quickAck = isSet("TCP_QUICKACK");
        options.reuseAddress = (Boolean) value("SO_REUSEADDR");
        options.reusePort = isSet("SO_REUSEPORT");
    }

    /** Whether the application itself switched it on; TCP_QUICKACK reads as true on a fresh socket without being meant. */
    private boolean isSet(String name) {
        return Boolean.TRUE.equals(values.get(name));
    }

    /** Sets on a kernel channel what was set on this one. */
    void replayTo(NetworkChannel channel) throws IOException {
        Map<String, Object> recorded = values;
        for (SocketOption<?> option : channel.supportedOptions()) {
            Object value = recorded.get(option.name());
            if (value != null) {
                replay(channel, option, value);
            }
        }
    }

    @SuppressWarnings("unchecked") // as in get()
    private static <T> void replay(NetworkChannel channel, SocketOption<T> option, Object value) throws IOException {
        channel.setOption(option, (T) value);
    }
}
