package dev.millrace.provider.nio;

import java.io.IOException;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.NetworkChannel;

/** A channel's options as {@code socket()} shows them: with the exceptions of {@code java.net}, and a timeout that the channel does not know. Any thread. */
final class AdaptedOptions {
    private final NetworkChannel channel;
    private volatile int timeoutMs;

    AdaptedOptions(NetworkChannel channel) {
        this.channel = channel;
    }

    <T> void set(SocketOption<T> name, T value) throws SocketException {
        try {
            channel.setOption(name, value);
        } catch (IOException e) {
            throw SocketErrors.asSocketException(e);
        }
    }

    <T> T get(SocketOption<T> name) throws SocketException {
        try {
            return channel.getOption(name);
        } catch (IOException e) {
            throw SocketErrors.asSocketException(e);
        }
    }

    void setSendBufferSize(int bytes) throws SocketException {
        if (bytes <= 0) {
            throw new IllegalArgumentException("Invalid send size");
        }
        set(StandardSocketOptions.SO_SNDBUF, bytes);
    }

    void setReceiveBufferSize(int bytes) throws SocketException {
        if (bytes <= 0) {
            throw new IllegalArgumentException("Invalid receive size");
        }
        set(StandardSocketOptions.SO_RCVBUF, bytes);
    }

    /** SO_TIMEOUT; 0 for none. */
    void setTimeoutMs(int milliseconds) throws SocketException {
        checkOpen();
        if (milliseconds < 0) {
            throw new IllegalArgumentException("timeout < 0");
        }
        timeoutMs = milliseconds;
    }

    int getTimeoutMs() throws SocketException {
        checkOpen();
        return timeoutMs;
    }

    /** For the calls that it limits, which look for themselves whether the channel is open. */
    int timeoutMs() {
        return timeoutMs;
    }

    void checkOpen() throws SocketException {
        if (!channel.isOpen()) {
            throw new SocketException("Socket is closed");
        }
    }
}
