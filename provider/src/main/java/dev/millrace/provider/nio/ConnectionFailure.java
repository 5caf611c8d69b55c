package dev.millrace.provider.nio;

import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;

/**
 * How a failed connection tells its reader and its writer, as Linux and the JDK do together: whoever comes first gets the reason, once;
 * after that writes find a broken pipe and reads the end of the stream, except that to a reader a reset stays a reset.
 *
 * <p>Reported by reader and writer under their own locks, so guarded by its own monitor.
 */
final class ConnectionFailure {
    private boolean reported;
    private boolean resetRead;

    /** @return {@link TcpSocket#END} if the reader is to see no more than that */
    synchronized int onRead(TcpSocket socket) throws IOException {
        if (resetRead) {
            throw SocketErrors.reset();
        }
        // after the peer's FIN the stream has ended properly, whatever came then
        boolean ended = (socket.readiness() & TcpSocket.PEER_CLOSED) != 0;
        if (reported || ended) {
            return TcpSocket.END;
        }
        reported = true;
        TcpError error = socket.error();
        if (error == TcpError.CONNECTION_RESET) {
            resetRead = true;
            throw SocketErrors.reset();
        }
        throw SocketErrors.transfer(error);
    }

    synchronized IOException onWrite(TcpSocket socket) {
        TcpError error = socket.error();
        boolean ended = (socket.readiness() & TcpSocket.PEER_CLOSED) != 0;
        if (reported || error == TcpError.NONE || (ended && error == TcpError.CONNECTION_RESET)) {
            return SocketErrors.brokenPipe();
        }
        reported = true;
        return SocketErrors.transfer(error);
    }
}
