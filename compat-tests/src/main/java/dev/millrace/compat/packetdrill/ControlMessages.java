package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.TcpSocket;
import java.util.List;

/**
 * What recvmsg tells beside the bytes: TCP_CM_INQ, how much is left to read, on sockets with TCP_INQ. Nothing else is known. One thread.
 */
final class ControlMessages {
    private ControlMessages() {}

    /** A msghdr's. */
    static List<Value> of(Value message) {
        Value control = Constants.field(message, "msg_control", Integer.MAX_VALUE, new Value.Listing(List.of()));
        return control instanceof Value.Listing list ? list.items() : List.of();
    }

    /** The call, at whose end what it tells is compared with what the message lets expect. */
    static Attempt checked(ScriptSocket socket, Value message, Attempt call) {
        List<Value> expected = of(message);
        for (Value each : expected) {
            if (!(Constants.field(each, "cmsg_type", 1, new Value.Any()) instanceof Value.Name type)
                    || !type.name().equals("TCP_CM_INQ")) {
                throw new UnsupportedConstructException("msg_control");
            }
        }
        if (expected.isEmpty()) {
            return call;
        }
        return () -> {
            Outcome outcome = call.poll();
            if (outcome != null && !outcome.failed()) {
                expected.forEach(each -> checkLeft(socket, each));
            }
            return outcome;
        };
    }

    /** As Linux the end of the stream, not read yet, counts as one byte. */
    private static void checkLeft(ScriptSocket socket, Value message) {
        TcpSocket connection = socket.connection;
        if (!socket.tellsLeft || connection == null) {
            throw new ScriptException("recvmsg: TCP_CM_INQ is told only with TCP_INQ");
        }
        boolean ended = (connection.readiness() & TcpSocket.PEER_CLOSED) != 0;
        int readable = connection.readableBytes();
        int left = readable == 0 && ended ? 1 : readable;
        Value expected = Constants.field(message, "cmsg_data", 2, new Value.Any());
        if (!Constants.isAny(expected) && Constants.number(expected) != left) {
            throw new ScriptException(
                    "recvmsg: expected " + Constants.number(expected) + " left to read, there are " + left);
        }
    }
}
