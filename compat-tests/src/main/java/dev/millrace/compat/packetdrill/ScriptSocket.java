package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.LocalBinding;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import org.jspecify.annotations.Nullable;

/** A socket as a process sees it: what the kernel keeps beside the connection, and the errors it turns states into. One thread. */
final class ScriptSocket implements Descriptor, TcpObserver {
    final TcpOptions options;
    boolean nonBlocking;

    @Nullable
    LocalBinding binding;

    @Nullable
    TcpAcceptor acceptor;

    @Nullable
    TcpSocket connection;
    /** SO_LINGER in seconds, −1 when off. */
    int lingerSeconds = -1;

    /** SO_RCVLOWAT */
    int receiveLowWater = 1;

    /** TCP_INQ: recvmsg tells how much is left to read. */
    boolean tellsLeft;

    /** IP_LOCAL_PORT_RANGE: the highest port in the upper half, the lowest in the lower; 0: none. */
    int portRange;

    boolean outputShutDown;
    boolean inputShutDown;

    /** What a reset after the peer's FIN is to the process: on Linux a broken pipe, on FreeBSD a reset. */
    private final String resetAfterFin;

    private boolean connectReported;
    private boolean errorTaken;
    private String softErrno = "";
    private long changes;

    ScriptSocket(TcpOptions options, boolean nonBlocking, Personality personality) {
        this.resetAfterFin = personality == Personality.LINUX ? "EPIPE" : "ECONNRESET";
        this.options = options;
        this.nonBlocking = nonBlocking;
    }

    @Override
    public void onReadiness() {
        changes++;
    }

    @Override
    public long changes() {
        return changes;
    }

    boolean isConnected() {
        TcpSocket there = connection;
        return there != null && (there.readiness() & TcpSocket.CONNECTED) != 0;
    }

    boolean isConnecting() {
        return connection != null && (connection.readiness() & (TcpSocket.CONNECTED | TcpSocket.FAILED)) == 0;
    }

    boolean hasFailed() {
        return connection != null && (connection.readiness() & TcpSocket.FAILED) != 0;
    }

    /** An error to be reported by a later call, without having failed the socket's calls so far. */
    void softErrno(String errno) {
        softErrno = errno;
    }

    /** The pending error's name, which this reports and so clears; empty when there is none. */
    String takeErrno() {
        String errno = pendingErrno();
        errorTaken = hasFailed(); // one that comes later is still to be told
        softErrno = "";
        return errno;
    }

    String pendingErrno() {
        TcpSocket there = connection;
        if (there == null || errorTaken || !hasFailed()) {
            return softErrno;
        }
        boolean peerClosed = (there.readiness() & TcpSocket.PEER_CLOSED) != 0;
        return there.error() == TcpError.CONNECTION_RESET && peerClosed ? resetAfterFin : errno(there.error());
    }

    static String errno(TcpError error) {
        return switch (error) {
            case NONE -> "";
            case CONNECTION_REFUSED -> "ECONNREFUSED";
            case CONNECTION_RESET -> "ECONNRESET";
            case TIMED_OUT -> "ETIMEDOUT";
            case HOST_UNREACHABLE -> "EHOSTUNREACH";
            case NETWORK_UNREACHABLE -> "ENETUNREACH";
            case ABORTED -> "ECONNABORTED";
            case ADDRESS_IN_USE -> "EADDRINUSE";
            case ADDRESS_NOT_AVAILABLE -> "EADDRNOTAVAIL";
            case NO_BUFFERS -> "ENOBUFS";
            case MESSAGE_TOO_LONG -> "EMSGSIZE";
        };
    }

    /** Whether connect() has told that the connection is there. */
    boolean connectReported() {
        return connectReported;
    }

    void reportConnect() {
        connectReported = true;
    }

    /** As poll(2) of Linux computes it for TCP. */
    @Override
    public long pollMask() {
        TcpAcceptor listening = acceptor;
        if (listening != null) {
            return listening.hasPending() ? IN : 0;
        }
        TcpSocket there = connection;
        if (there == null) {
            return OUT | HUP;
        }
        int ready = there.readiness();
        boolean failed = (ready & TcpSocket.FAILED) != 0;
        if (!failed && (ready & TcpSocket.CONNECTED) == 0) {
            return 0;
        }
        boolean noInput = failed || inputShutDown || (ready & TcpSocket.PEER_CLOSED) != 0;
        boolean noOutput = failed || outputShutDown;
        long mask = noInput && noOutput ? HUP : 0;
        mask |= noInput ? IN | RDHUP : 0;
        mask |= there.readableBytes() >= receiveLowWater ? IN : 0;
        mask |= noOutput || (ready & TcpSocket.WRITABLE) != 0 ? OUT : 0;
        return pendingErrno().isEmpty() ? mask : mask | ERR;
    }
}
