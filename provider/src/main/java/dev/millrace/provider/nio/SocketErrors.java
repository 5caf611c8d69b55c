package dev.millrace.provider.nio;

import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpException;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.SocketException;
import java.nio.channels.AlreadyBoundException;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetBoundException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.channels.UnsupportedAddressTypeException;

/**
 * The exceptions that the JDK throws on Linux for each way a socket can fail, with the texts that applications look for: the
 * JDK's own where it has one, otherwise {@code strerror}'s.
 */
final class SocketErrors {
    private SocketErrors() {}

    /** Why {@code bind}, {@code listen}, {@code connect} or {@code finishConnect} failed. */
    static IOException setUp(TcpError error) {
        return switch (error) {
            case CONNECTION_REFUSED, TIMED_OUT -> new ConnectException(text(error));
            case HOST_UNREACHABLE -> new NoRouteToHostException(text(error));
            case ADDRESS_IN_USE, ADDRESS_NOT_AVAILABLE -> new BindException(text(error));
            default -> new SocketException(text(error));
        };
    }

    static IOException setUp(TcpException refused) {
        IOException exception = setUp(refused.error());
        exception.initCause(refused);
        return exception;
    }

    /** Why a {@code read} failed, for any reason but a reset, which is {@link #reset}. */
    static IOException transfer(TcpError error) {
        return new IOException(text(error));
    }

    /** What a {@code read} on a connection throws that was reset. */
    static SocketException reset() {
        return new SocketException("Connection reset");
    }

    /** What a {@code write} throws that finds the connection gone, once the reason was reported before. */
    static IOException brokenPipe() {
        return new IOException("Broken pipe");
    }

    /** What an ICMP message, or the lack of a route, has a datagram socket's next operation throw. */
    static IOException datagram(TcpError error) {
        return error == TcpError.CONNECTION_REFUSED ? new PortUnreachableException() : setUp(error);
    }

    /** What a datagram that is too long throws; the JDK's classes differ with the call. */
    static IOException tooLong(boolean connected) {
        String text = text(TcpError.MESSAGE_TOO_LONG);
        return connected ? new IOException(text) : new SocketException(text);
    }

    /** A datagram for which there is no way from where its socket is bound. */
    static SocketException networkUnreachable() {
        return new SocketException(text(TcpError.NETWORK_UNREACHABLE));
    }

    private static String text(TcpError error) {
        return switch (error) {
            case NONE -> "Success";
            case CONNECTION_REFUSED -> "Connection refused";
            case CONNECTION_RESET -> "Connection reset by peer";
            case TIMED_OUT -> "Connection timed out";
            case HOST_UNREACHABLE -> "No route to host";
            case NETWORK_UNREACHABLE -> "Network is unreachable";
            case ABORTED -> "Software caused connection abort";
            case ADDRESS_IN_USE -> "Address already in use";
            case ADDRESS_NOT_AVAILABLE -> "Cannot assign requested address";
            case NO_BUFFERS -> "No buffer space available";
            case MESSAGE_TOO_LONG -> "Message too long";
        };
    }

    /** What {@code java.net.Socket} throws where a channel throws {@code thrown}. */
    static IOException forSocket(Exception thrown) {
        return thrown instanceof IOException io ? io : asSocketException(thrown);
    }

    /** As {@link #forSocket}, for the methods that can throw nothing but SocketException. */
    static SocketException asSocketException(Exception thrown) {
        if (thrown instanceof SocketException socket) {
            return socket;
        }
        String text = switch (thrown) {
            case ClosedChannelException e -> "Socket is closed";
            case NotYetConnectedException e -> "Socket is not connected";
            case AlreadyBoundException e -> "Already bound";
            case AlreadyConnectedException e -> "Already connected";
            case NotYetBoundException e -> "Socket is not bound yet";
            case UnsupportedAddressTypeException e -> "Unsupported address type";
            case UnresolvedAddressException e -> "Unresolved address";
            case IOException e -> e.getMessage();
            case RuntimeException e -> throw e;
            default -> throw new AssertionError("a channel threw a checked exception that is none of I/O", thrown);
        };
        SocketException exception = new SocketException(text);
        exception.initCause(thrown);
        return exception;
    }
}
