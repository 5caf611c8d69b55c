package dev.millrace.compat.datagram;

import dev.millrace.compat.app.Arguments;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.Arrays;
import java.util.Set;

/**
 * Sends numbered datagrams to an echo server, so many at a time, and checks every byte of the answers: {@code DatagramLoad --server HOST --port 7
 * --datagrams 100000 --bytes 100 --window 32}. What is lost is sent again after a while; when all are answered it prints how many there were. Exits
 * with 1 if too much is lost.
 */
public final class DatagramLoad {
    private static final long AGAIN_MS = 200;
    private static final int MIN_BYTES = Integer.BYTES;
    private static final int NOT_YET = -1;
    private static final int DONE = Integer.MAX_VALUE;

    private final DatagramChannel channel;
    private final int datagrams;
    private final int bytes;
    /** Number of the datagram that each place of the window waits for. */
    private final int[] awaited;

    private final long[] sentAtMs;
    private final ByteBuffer outgoing;
    private final ByteBuffer incoming;
    private int answered;
    private int sentAgain;
    private int late;

    private DatagramLoad(DatagramChannel channel, int datagrams, int bytes, int window) {
        this.channel = channel;
        this.datagrams = datagrams;
        this.bytes = bytes;
        this.awaited = new int[window];
        this.sentAtMs = new long[window];
        this.outgoing = ByteBuffer.allocateDirect(bytes);
        this.incoming = ByteBuffer.allocateDirect(bytes + 1);
    }

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args, Set.of("server", "port", "datagrams", "bytes", "window"));
        try (DatagramChannel channel = DatagramChannel.open()) {
            channel.connect(new InetSocketAddress(arguments.text("server", "127.0.0.1"), arguments.number("port", 7)));
            DatagramLoad load = new DatagramLoad(
                    channel,
                    arguments.number("datagrams", 1000),
                    Math.max(MIN_BYTES, arguments.number("bytes", 100)),
                    arguments.number("window", 32));
            load.run();
            boolean good = load.sentAgain * 20L <= load.datagrams;
            System.out.println("DONE answered=" + load.answered + " again=" + load.sentAgain + " late=" + load.late);
            if (!good) {
                System.exit(1);
            }
        }
    }

    private void run() throws IOException {
        channel.configureBlocking(false);
        try (Selector selector = Selector.open()) {
            channel.register(selector, SelectionKey.OP_READ);
            Arrays.fill(awaited, NOT_YET);
            for (int place = 0; place < awaited.length; place++) {
                sendNext(place);
            }
            while (answered < datagrams) {
                selector.select(AGAIN_MS);
                selector.selectedKeys().clear();
                while (channel.read(incoming.clear()) > 0) {
                    onAnswer();
                }
                sendLostAgain();
            }
        }
    }

    private void onAnswer() throws IOException {
        int number = incoming.getInt(0);
        int place = number % awaited.length;
        if (number < 0 || number >= datagrams || awaited[place] != number) {
            late++; // answered before; its first datagram, or answer, was slow rather than lost
            return;
        }
        check(number);
        answered++;
        sendNext(place);
    }

    private void check(int number) {
        if (incoming.position() != bytes) {
            throw new IllegalStateException("datagram " + number + " has " + incoming.position() + " bytes");
        }
        for (int i = MIN_BYTES; i < bytes; i++) {
            if (incoming.get(i) != content(number, i)) {
                throw new IllegalStateException("datagram " + number + " differs at " + i);
            }
        }
    }

    private static byte content(int number, int index) {
        return (byte) ((number * 31 + index) * 0x9e37_79b9 >>> 24);
    }

    /** The next of the numbers that share this place in the window. */
    private void sendNext(int place) throws IOException {
        int number = awaited[place] == NOT_YET ? place : awaited[place] + awaited.length;
        awaited[place] = number < datagrams ? number : DONE;
        if (number < datagrams) {
            send(place);
        }
    }

    private void send(int place) throws IOException {
        int number = awaited[place];
        outgoing.clear().putInt(number);
        while (outgoing.hasRemaining()) {
            outgoing.put(content(number, outgoing.position()));
        }
        sentAtMs[place] = System.currentTimeMillis();
        channel.write(outgoing.flip()); // if there is no space it counts as lost
    }

    private void sendLostAgain() throws IOException {
        long now = System.currentTimeMillis();
        for (int place = 0; place < awaited.length; place++) {
            if (awaited[place] != DONE && now - sentAtMs[place] >= AGAIN_MS) {
                sentAgain++;
                send(place);
            }
        }
    }
}
