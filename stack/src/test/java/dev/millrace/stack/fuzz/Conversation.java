package dev.millrace.stack.fuzz;

import static dev.millrace.stack.fuzz.Wire.check;

import dev.millrace.stack.core.ConnectCall;
import dev.millrace.stack.tcp.TcpAcceptor;
import dev.millrace.stack.tcp.TcpException;
import dev.millrace.stack.tcp.TcpInfo;
import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpOptions;
import dev.millrace.stack.tcp.TcpSocket;
import dev.millrace.stack.tcp.TcpState;
import dev.millrace.stack.wire.IpAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One TCP connection between a fuzzed stack and its peer: brings it into a state, speaks for the peer, and reads what the stack says. */
final class Conversation {
    private static final int FIN = 1;
    private static final int SYN = 2;
    private static final int RST = 4;
    private static final int ACK = 16;
    private static final int PORT = 80;
    private static final int PEER_PORT = 40_000;
    private static final int PEER_ISS = -100;
    private static final int WINDOW = 65_535;
    private static final int BUFFER = 70_000;

    private final FuzzedStack host;
    private final boolean v6;
    private final boolean timestamps;
    private final boolean sack;
    private final ByteBuffer scratch = ByteBuffer.allocate(BUFFER);

    private int stackPort = PORT;
    private @Nullable TcpAcceptor acceptor;
    private @Nullable TcpSocket socket;
    /** What the peer would send next. */
    private int peerNext = PEER_ISS;
    // what the stack has last told
    private int stackIss;
    private int stackNext;
    private int stackAck;
    private int stackEdge;
    private int stackTimestamp;
    private byte @Nullable [] lastSent;

    Conversation(FuzzedStack host, boolean v6, boolean timestamps, boolean sack) {
        this.host = host;
        this.v6 = v6;
        this.timestamps = timestamps;
        this.sack = sack;
    }

    // ---- states ----

    /** The states of RFC 9293 §3.3.2, each with 10 bytes sent and acknowledged both ways where there is a connection. */
    void bringTo(TcpState state) {
        switch (state) {
            case CLOSED -> {
                // nobody listens
            }
            case LISTEN -> listen();
            case SYN_SENT -> connect();
            case SYN_RECEIVED -> {
                listen();
                peerSends(SYN);
            }
            default -> bringToSynchronised(state);
        }
        readSent();
        check(state() == state, "wanted " + state + ", is " + state());
    }

    private void bringToSynchronised(TcpState state) {
        listen();
        peerSends(SYN);
        readSent();
        peerSends(ACK);
        TcpAcceptor listener = acceptor;
        socket = listener == null ? null : listener.accept();
        write(10);
        readSent();
        peerSends(ACK, 10);
        readSent();
        boolean stackFirst =
                state != TcpState.ESTABLISHED && state != TcpState.CLOSE_WAIT && state != TcpState.LAST_ACK;
        if (stackFirst) {
            shutdownOutput();
        }
        switch (state) {
            case FIN_WAIT_2 -> peerSends(ACK);
            case CLOSE_WAIT, TIME_WAIT -> peerSends(FIN | ACK);
            case CLOSING -> {
                stackNext--; // its FIN has not been received
                peerSends(FIN | ACK);
            }
            case LAST_ACK -> {
                peerSends(FIN | ACK);
                shutdownOutput();
            }
            default -> {
                // ESTABLISHED, FIN_WAIT_1
            }
        }
        if (state != TcpState.CLOSING) {
            host.after(50 * FuzzedStack.MS); // delayed acknowledgments have been sent
        }
    }

    private TcpState state() {
        for (TcpInfo row : host.core.connections()) {
            return row.state();
        }
        return acceptor == null || socket != null ? TcpState.CLOSED : TcpState.LISTEN;
    }

    private void listen() {
        try {
            IpAddress local = IpAddress.of(v6 ? Wire.STACK6 : Wire.STACK4);
            TcpOptions options = new TcpOptions();
            acceptor = host.stack.listen(host.stack.bind(local, PORT, options), 4, options, TcpObserver.NONE);
        } catch (TcpException e) {
            throw new AssertionError(e);
        }
    }

    private void connect() {
        IpAddress remote = IpAddress.of(v6 ? Wire.PEER6 : Wire.PEER4);
        ConnectCall call = host.stack.connect(null, remote, PEER_PORT, new TcpOptions(), TcpObserver.NONE);
        call.core().submit(call);
        host.turn();
        socket = call.result();
        stackPort = call.result().localPort();
    }

    // ---- application ----

    void applicationCalls(int which, int count) {
        TcpAcceptor listener = acceptor;
        TcpSocket current = socket;
        if (current == null) {
            socket = listener == null ? null : listener.accept();
            return;
        }
        switch (which % 8) {
            case 0 -> current.close();
            case 1 -> current.abort();
            case 2 -> current.shutdownInput();
            case 3 -> current.shutdownOutput();
            case 4, 5 -> current.write(scratch, 0, count);
            default -> current.read(scratch, 0, count);
        }
        host.turn();
    }

    private void write(int count) {
        TcpSocket current = socket;
        if (current != null) {
            current.write(scratch, 0, count);
            host.turn();
        }
    }

    private void shutdownOutput() {
        TcpSocket current = socket;
        if (current != null) {
            current.shutdownOutput();
            host.turn();
        }
        readSent();
    }

    /** Both sides give everything up. */
    void end() {
        TcpSocket current = socket;
        if (current != null) {
            current.abort();
        }
        TcpAcceptor listener = acceptor;
        if (listener != null) {
            listener.close();
        }
        host.turn();
        for (TcpInfo row : host.core.connections()) {
            boolean over = row.state() == TcpState.TIME_WAIT || row.state() == TcpState.SYN_RECEIVED;
            check(over, "closed and aborted, yet " + row);
        }
    }

    // ---- peer ----

    /** A sequence number that means something: the peer's own next, both edges of the stack's window, the SYN, the middle. */
    int sequence(int which) {
        return switch (which) {
            case 0, 1, 2 -> stackAck;
            case 3 -> stackEdge;
            case 4 -> PEER_ISS;
            case 5 -> stackAck + 1_460;
            case 6 -> stackAck + (stackEdge - stackAck) / 2;
            default -> stackAck + Integer.MIN_VALUE;
        };
    }

    /** Likewise an acknowledgment: all that the stack has sent, its SYN, somewhat less than all, what cannot be. */
    int acknowledgment(int which) {
        return switch (which) {
            case 0 -> stackNext;
            case 1 -> stackIss + 1;
            case 2 -> stackNext - 1_460;
            default -> stackNext + 0x4000_0000;
        };
    }

    private void peerSends(int flags) {
        peerSends(flags, 0);
    }

    private void peerSends(int flags, int payload) {
        peerSends(flags, peerNext, stackNext, WINDOW, (flags & SYN) != 0 ? synOptions() : options(), payload);
        peerNext += payload + (flags & FIN) + ((flags & SYN) >> 1);
    }

    void peerSends(int flags, int sequence, int acknowledgment, int window, byte[] options, int payload) {
        int header = 20 + (options.length + 3 & ~3);
        ByteBuffer segment = ByteBuffer.allocate(header + payload);
        segment.putShort((short) PEER_PORT).putShort((short) stackPort);
        segment.putInt(sequence).putInt(acknowledgment);
        segment.putShort((short) (header << 10 | flags & 0xff)).putShort((short) window);
        segment.putInt(0).put(options);
        host.receives(Wire.ip(v6, Wire.TCP, Wire.checksummed(v6, Wire.TCP, segment.array(), 16)));
    }

    private byte[] synOptions() {
        byte[] all = {2, 4, 5, (byte) 0xb4, 1, 3, 3, 7, 1, 1, 4, 2, 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0};
        if (!sack) {
            all[10] = 1;
            all[11] = 1;
        }
        return timestamps ? all : Arrays.copyOf(all, 12);
    }

    private byte[] options() {
        return timestamps
                ? ByteBuffer.allocate(12)
                        .putInt(0x0101_080a)
                        .putInt(9)
                        .putInt(stackTimestamp)
                        .array()
                : new byte[0];
    }

    /** An ICMP error that quotes what the stack sent last. */
    void icmpError(int type, int code, int rest) {
        byte[] quoted = lastSent;
        if (quoted == null) {
            return;
        }
        int length = Math.min(quoted.length - Wire.ETHERNET, v6 ? 500 : 60);
        ByteBuffer message = ByteBuffer.allocate(8 + length);
        message.put((byte) type)
                .put((byte) code)
                .putShort((short) 0)
                .putInt(rest)
                .put(quoted, Wire.ETHERNET, length);
        int protocol = v6 ? Wire.ICMP6 : Wire.ICMP;
        host.receives(Wire.ip(v6, protocol, Wire.checksummed(v6, protocol, message.array(), 2)));
    }

    // ---- what the stack sends ----

    /** Verifies every frame sent since the last call and remembers the numbers told. */
    void readSent() {
        for (byte[] frame = host.port.sent.poll(); frame != null; frame = host.port.sent.poll()) {
            check(frame.length <= Wire.ETHERNET + 1_500, "a frame larger than the link takes");
            if (Wire.isIp(frame, v6, Wire.TCP)) {
                Wire.verify(frame, v6, Wire.TCP);
                readSegment(frame, Wire.payload(v6));
            }
        }
    }

    private void readSegment(byte[] frame, int at) {
        int header = (frame[at + 12] >> 4 & 15) * 4;
        int flags = frame[at + 13] & 0xff;
        int payload = frame.length - at - header;
        check(header >= 20 && payload >= 0, "data offset");
        check((flags & SYN) == 0 || (flags & (FIN | RST)) == 0, "SYN with FIN or RST");
        check((flags & RST) == 0 || payload == 0, "RST with text");
        if ((flags & RST) != 0) {
            return;
        }
        lastSent = frame;
        int sequence = Wire.integer(frame, at + 4);
        if ((flags & SYN) != 0) {
            stackIss = sequence;
            stackNext = sequence + 1;
            if ((flags & ACK) == 0) {
                stackAck = PEER_ISS;
            }
        }
        int end = sequence + payload + (flags & FIN) + ((flags & SYN) >> 1);
        if (end - stackNext > 0) {
            stackNext = end;
        }
        if ((flags & ACK) != 0) {
            stackAck = Wire.integer(frame, at + 8);
            int scale = (flags & SYN) != 0 ? 0 : 7;
            stackEdge = stackAck + (Wire.unsignedShort(frame, at + 14) << scale);
        }
        if (header >= 32 && Wire.integer(frame, at + 20) == 0x0101_080a) {
            stackTimestamp = Wire.integer(frame, at + 24);
        }
    }
}
