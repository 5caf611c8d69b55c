package dev.millrace.compat.simulate;

import dev.millrace.stack.tcp.TcpOptions;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/**
 * What two applications will say to each other over one connection: the client sends {@code rounds} requests, the server answers each; both
 * know from the number of the talk what is to come. Immutable but for {@code excuse}.
 */
final class Talk {
    /** Bytes in which the client tells the server which talk this is. */
    static final int HEADER_BYTES = 8;

    /** How a side ends. */
    enum End {
        /** Closes its output after its last byte, reads to the end, closes. */
        HALF_CLOSE,
        /** Closes when it has said and heard everything. */
        CLOSE,
        /** As HALF_CLOSE, and waits until everything is acknowledged, as a lingering close does. */
        LINGER,
        /** Aborts in the middle. */
        ABORT
    }

    /** How one side behaves. */
    static final class Manner {
        End end = End.HALF_CLOSE;
        /** Largest piece read and written at a time. */
        int pieceBytes = 65_536;
        /** Rest between two reads; a slow reader closes its window. */
        long readRestNs;
        /** Before the first read. */
        long deafNs;

        long writeRestNs;
        /** Bytes said and heard after which an ABORT comes. */
        long abortAfterBytes;

        TcpOptions options = new TcpOptions();

        /** Bytes that the client gives to connect, to leave with the SYN if may be (RFC 7413). */
        int textWithSyn;
    }

    final int number;
    final int clientHost;
    final int serverHost;
    final boolean v4;
    final int port;
    final long startNs;
    final int rounds;
    final int requestBytes;
    final int answerBytes;
    /** Both sides speak without waiting for each other. */
    final boolean duplex;

    final Manner client = new Manner();
    final Manner server = new Manner();

    /** Why this talk may fail, or null when it must succeed. */
    private String excuse = "";

    Talk(
            int number,
            int clientHost,
            int serverHost,
            boolean v4,
            int port,
            long startNs,
            int rounds,
            int requestBytes,
            int answerBytes,
            boolean duplex) {
        this.number = number;
        this.clientHost = clientHost;
        this.serverHost = serverHost;
        this.v4 = v4;
        this.port = port;
        this.startNs = startNs;
        this.rounds = rounds;
        this.requestBytes = requestBytes;
        this.answerBytes = answerBytes;
        this.duplex = duplex;
    }

    void excuse(String why) {
        excuse = why;
    }

    /** Whether it may end otherwise than by saying everything. */
    boolean isExcused() {
        return !excuse.isEmpty();
    }

    /** All that the client says, header included. */
    long requestTotal() {
        return HEADER_BYTES + (long) rounds * requestBytes;
    }

    long answerTotal() {
        return (long) rounds * answerBytes;
    }

    /** How much the client may have said once it has heard so much. */
    long requestAllowance(long heard) {
        if (duplex || answerBytes == 0) {
            return requestTotal();
        }
        return HEADER_BYTES + Math.min(rounds, heard / answerBytes + 1) * requestBytes;
    }

    /** How much the server may have said once it has heard so much. */
    long answerAllowance(long heard) {
        if (duplex) {
            return answerTotal();
        }
        long requests = requestBytes == 0 ? rounds : (heard - HEADER_BYTES) / requestBytes;
        return Math.min(rounds, Math.max(0, requests)) * answerBytes;
    }

    /** Puts what one side says from a position of its stream on into {@code bytes}; the client's begins with the number of the talk. */
    void say(boolean fromClient, long position, byte[] bytes, int count) {
        long seed = seedOf(fromClient);
        for (int i = 0; i < count; i++) {
            bytes[i] = mixed(seed, position + i);
        }
        for (int i = 0; i < headerLeft(fromClient, position, count); i++) {
            bytes[i] = headerByte(position + i);
        }
    }

    /** Where {@code bytes} first differ from what one side says from a position of its stream on; {@code count} when they do not. */
    int mismatch(boolean fromClient, long position, byte[] bytes, int count) {
        int header = headerLeft(fromClient, position, count);
        for (int i = 0; i < header; i++) {
            if (bytes[i] != headerByte(position + i)) {
                return i;
            }
        }
        long seed = seedOf(fromClient);
        int difference = 0; // all are equal as a rule, and a loop without a way out is several times as fast
        for (int i = header; i < count; i++) {
            difference |= bytes[i] ^ mixed(seed, position + i);
        }
        int same = difference == 0 ? count : header;
        while (same < count && bytes[same] == mixed(seed, position + same)) {
            same++;
        }
        return same;
    }

    private long seedOf(boolean fromClient) {
        return number * 0xd6e8_feb8_6659_fd93L + (fromClient ? 1 : 0);
    }

    private static byte mixed(long seed, long position) {
        long mixed = position * 0x9e37_79b9_7f4a_7c15L + seed;
        return (byte) ((mixed ^ mixed >>> 29) >>> 48);
    }

    private static int headerLeft(boolean fromClient, long position, int count) {
        return fromClient ? (int) Math.clamp(HEADER_BYTES - position, 0, (long) count) : 0;
    }

    private byte headerByte(long position) {
        return (byte) (headerOf(number) >>> 8 * (int) position);
    }

    /** What the client gives to connect. */
    ByteBuffer firstBytes() {
        byte[] bytes = new byte[(int) Math.min(client.textWithSyn, requestAllowance(0))];
        say(true, 0, bytes, bytes.length);
        return ByteBuffer.wrap(bytes);
    }

    private static long headerOf(int number) {
        return (long) ~number << 32 | number;
    }

    /** The talk's number in a header, or −1 when that is none. */
    static int numberIn(long header) {
        int number = (int) header;
        return number >= 0 && header == headerOf(number) ? number : -1;
    }

    static TcpOptions options(SplittableRandom random) {
        TcpOptions options = new TcpOptions();
        options.noDelay = random.nextBoolean();
        options.quickAck = random.nextInt(5) == 0;
        options.receiveBufferBytes = random.nextInt(4) > 0 ? 0 : 1 + random.nextInt(1 << 1 + random.nextInt(18));
        options.sendBufferBytes = random.nextInt(4) > 0 ? 0 : 1 + random.nextInt(1 << 1 + random.nextInt(18));
        if (random.nextInt(8) == 0) {
            options.keepAlive = true;
            options.keepIdleSeconds = 1 + random.nextInt(20);
            options.keepIntervalSeconds = 1 + random.nextInt(10);
            options.keepCount = 100; // with the interval, longer than any fault lasts
        }
        return options;
    }

    @Override
    public String toString() {
        return "talk " + number + (v4 ? " v4" : " v6") + ", host " + clientHost + " to host " + serverHost + ":" + port
                + ", "
                + rounds + " rounds of " + requestBytes + " and " + answerBytes + " bytes"
                + (duplex ? ", both at once" : "")
                + ", ends " + client.end + "/" + server.end + (isExcused() ? ", may fail: " + excuse : "");
    }
}
