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

/** One TCP connection between a fuzzed stack and its peer: brings it into a state, and speaks for the application and for the peer. */
final class Conversation {
    private static final int FIN = 1;
    private static final int SYN = 2;
    private static final int RST = 4;
    private static final int ECE_AND_CWR = 0xc0;
    private static final int ACK = 16;
    private static final int PORT = 80;
    private static final int PEER_PORT = 40_000;
    static final int PEER_ISS = -100;
    private static final int WINDOW = 65_535;
    private static final int BUFFER = 70_000;
    /** Bytes that come with a SYN. */
    private static final int SYN_TEXT = 10;

    private final FuzzedStack host;
    private final Wishes wishes;
    private final boolean v6;
    private final Told told;
    private final @Nullable Datagrams datagrams;
    private final ByteBuffer scratch = ByteBuffer.allocate(BUFFER);

    private int peerPort = PEER_PORT;
    private int stackPort = PORT;
    private @Nullable TcpAcceptor acceptor;
    private @Nullable TcpSocket socket;
    /** What the peer would send next. */
    private int peerNext = PEER_ISS;

    Conversation(FuzzedStack host, Wishes wishes) {
        this.host = host;
        this.wishes = wishes;
        this.v6 = wishes.v6();
        this.told = new Told(v6);
        this.datagrams = wishes.datagrams() ? new Datagrams(host, v6) : null;
    }

    // ---- states ----

    /** The states of RFC 9293 §3.3.2, each with 10 bytes sent and acknowledged both ways where there is a connection. */
    void begin() {
        TcpState state = wishes.start();
        switch (state) {
            case CLOSED -> {
                // nobody listens
            }
            case LISTEN -> listen();
            case SYN_SENT -> connect();
            case SYN_RECEIVED -> {
                listen();
                peerOpens();
            }
            default -> bringToSynchronised(state);
        }
        readSent();
        check(state() == wishes.reached(), "wanted " + wishes.reached() + ", is " + state());
    }

    private void bringToSynchronised(TcpState state) {
        listen();
        peerOpens();
        readSent();
        peerNext = told.acknowledged; // without a cookie the text of the SYN was not taken
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
                told.next--; // its FIN has not been received
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
        if (wishes.fastOpen()) {
            askForCookie();
        }
    }

    /** The peer gets a cookie by a connection before this one (RFC 7413 §4.1.1), which it gives up. */
    private void askForCookie() {
        peerPort = PEER_PORT - 1;
        peerSends(SYN, peerNext, 0, WINDOW, fastOpenOption(new byte[0]), 0);
        readSent();
        peerSends(RST | ACK, PEER_ISS + 1, told.next, 0, new byte[0], 0);
        peerPort = PEER_PORT;
    }

    private void peerOpens() {
        peerSends(SYN | (wishes.ecn() ? ECE_AND_CWR : 0), wishes.fastOpen() ? SYN_TEXT : 0);
    }

    private void connect() {
        if (wishes.fastOpen()) {
            TcpSocket first = connectWith(new byte[1]);
            readSent();
            byte[] options = joined(synOptions(), fastOpenOption(new byte[] {1, 2, 3, 4, 5, 6, 7, 8}));
            peerSends(SYN | ACK, peerNext, told.next, WINDOW, options, 0);
            first.abort();
            host.turn();
            readSent();
        }
        socket = connectWith(new byte[wishes.fastOpen() ? SYN_TEXT : 0]);
    }

    private TcpSocket connectWith(byte[] text) {
        IpAddress remote = IpAddress.of(v6 ? Wire.PEER6 : Wire.PEER4);
        ConnectCall call = host.stack.connect(null, remote, PEER_PORT, new TcpOptions(), TcpObserver.NONE);
        if (text.length > 0) {
            call.text(ByteBuffer.wrap(text));
        }
        call.core().submit(call);
        host.turn();
        stackPort = call.result().localPort();
        return call.result();
    }

    // ---- application ----

    void applicationCalls(int which, int count) {
        if ((which & 8) != 0 && datagrams != null) {
            datagrams.applicationCalls(which >> 4, count);
            return;
        }
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
        if (datagrams != null) {
            datagrams.end();
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
            case 0, 1, 2 -> told.acknowledged;
            case 3 -> told.edge;
            case 4 -> PEER_ISS;
            case 5 -> told.acknowledged + 1_460;
            case 6 -> told.acknowledged + (told.edge - told.acknowledged) / 2;
            default -> told.acknowledged + Integer.MIN_VALUE;
        };
    }

    /** Likewise an acknowledgment: all that the stack has sent, its SYN, somewhat less than all, what cannot be. */
    int acknowledgment(int which) {
        return switch (which) {
            case 0 -> told.next;
            case 1 -> told.iss + 1;
            case 2 -> told.next - 1_460;
            default -> told.next + 0x4000_0000;
        };
    }

    private void peerSends(int flags) {
        peerSends(flags, 0);
    }

    private void peerSends(int flags, int payload) {
        byte[] options = (flags & SYN) == 0 ? options() : synOptions();
        if ((flags & SYN) != 0 && wishes.fastOpen()) {
            options = joined(options, fastOpenOption(told.cookie));
        }
        peerSends(flags, peerNext, told.next, WINDOW, options, payload);
        peerNext += payload + (flags & FIN) + ((flags & SYN) >> 1);
    }

    void peerSends(int flags, int sequence, int acknowledgment, int window, byte[] options, int payload) {
        peerSends(flags, sequence, acknowledgment, window, options, payload, 0);
    }

    /** @param codepoint of ECN in the IP header */
    void peerSends(
            int flags, int sequence, int acknowledgment, int window, byte[] options, int payload, int codepoint) {
        int header = 20 + (options.length + 3 & ~3);
        ByteBuffer segment = ByteBuffer.allocate(header + payload);
        segment.putShort((short) peerPort).putShort((short) stackPort);
        segment.putInt(sequence).putInt(acknowledgment);
        segment.putShort((short) (header << 10 | flags & 0xff)).putShort((short) window);
        segment.putInt(0).put(options);
        byte[] frame = Wire.ip(v6, Wire.TCP, Wire.checksummed(v6, Wire.TCP, segment.array(), 16));
        host.receives(Wire.withCodepoint(frame, v6, codepoint));
    }

    private byte[] synOptions() {
        byte[] all = {2, 4, 5, (byte) 0xb4, 1, 3, 3, 7, 1, 1, 4, 2, 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0};
        if (!wishes.sack()) {
            all[10] = 1;
            all[11] = 1;
        }
        return wishes.timestamps() ? all : Arrays.copyOf(all, 12);
    }

    /** What an honest peer's segments carry. */
    byte[] options() {
        return wishes.timestamps()
                ? ByteBuffer.allocate(12)
                        .putInt(0x0101_080a)
                        .putInt(9)
                        .putInt(told.timestamp)
                        .array()
                : new byte[0];
    }

    /** The same with the cookie that the stack gave, as far as both fit. */
    byte[] optionsWithCookie() {
        return joined(synOptions(), fastOpenOption(told.cookie));
    }

    /** The same with SACK blocks, given by how far each begins before what the stack sends next, and its length. */
    byte[] optionsWithSack(int[] before, int[] length) {
        ByteBuffer sack = ByteBuffer.allocate(4 + 8 * before.length);
        sack.putShort((short) 0x0101).put((byte) 5).put((byte) (2 + 8 * before.length));
        for (int i = 0; i < before.length; i++) {
            sack.putInt(told.next - before[i]).putInt(told.next - before[i] + length[i]);
        }
        return joined(options(), sack.array());
    }

    private static byte[] fastOpenOption(byte[] cookie) {
        ByteBuffer option = ByteBuffer.allocate(2 + cookie.length + 3 & ~3);
        option.put((byte) 34).put((byte) (2 + cookie.length)).put(cookie);
        while (option.hasRemaining()) {
            option.put((byte) 1);
        }
        return option.array();
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] all = Arrays.copyOf(first, Math.min(40, first.length + second.length));
        System.arraycopy(second, 0, all, first.length, all.length - first.length);
        return all;
    }

    void peerSendsDatagram(int oddity, byte[] payload) {
        if (datagrams != null) {
            datagrams.peerSends(oddity, payload);
        }
    }

    /** An ICMP error that quotes what the stack sent last; a datagram if the highest bit of the code is set. */
    void icmpError(int type, int code, int rest) {
        byte[] quoted = code > 127 ? told.lastDatagram : told.lastSegment;
        if (quoted == null) {
            return;
        }
        int length = Math.min(quoted.length - Wire.ETHERNET, v6 ? 500 : 60);
        ByteBuffer message = ByteBuffer.allocate(8 + length);
        message.put((byte) type)
                .put((byte) (code & 127))
                .putShort((short) 0)
                .putInt(rest)
                .put(quoted, Wire.ETHERNET, length);
        int protocol = v6 ? Wire.ICMP6 : Wire.ICMP;
        host.receives(Wire.ip(v6, protocol, Wire.checksummed(v6, protocol, message.array(), 2)));
    }

    /** Reads and verifies every frame sent since the last call. */
    void readSent() {
        for (byte[] frame = host.port.nextSent(); frame != null; frame = host.port.nextSent()) {
            told.read(frame);
        }
    }
}
