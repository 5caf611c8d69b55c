package dev.millrace.benchmarks.echo;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A plain NIO echo client: one thread, one selector, non-blocking channels, nothing but {@code java.nio} (and HdrHistogram).
 *
 * <p>{@code EchoClient <host> <port> <server's process id> <longest warm-up ms> <measure ms> <phase>...} runs its phases one after the other, each after its {@link WarmUp}. A phase that is a number keeps that many connections with one message each under way; {@code short} opens {@value #SHORT_SLOTS} at a time
 * to {@code port + 1}, and each makes one exchange, reads the end of the stream, and is replaced by a new one. All bytes are checked.
 * Each phase prints one line, {@code result phase=… exchanges=… nanos=…}; anything wrong ends the program with an exception.
 */
public final class EchoClient {
    private static final int SHORT_SLOTS = 32;
    private static final long PATIENCE_MS = 5_000;

    private final Selector selector;
    private final InetSocketAddress server;
    private final boolean single;
    private final PhaseRecorder recorder;
    private final List<EchoExchange> exchanges = new ArrayList<>();
    private long nextId;

    private EchoClient(Selector selector, InetSocketAddress server, boolean single, PhaseRecorder recorder) {
        this.selector = selector;
        this.server = server;
        this.single = single;
        this.recorder = recorder;
    }

    public static void main(String[] args) throws IOException {
        String host = args[0];
        int port = Integer.parseInt(args[1]);
        CompilerThreads compilers = new CompilerThreads(ProcessHandle.current().pid(), Long.parseLong(args[2]));
        long longestWarmUpNs = Long.parseLong(args[3]) * 1_000_000;
        long measureNs = Long.parseLong(args[4]) * 1_000_000;
        for (int i = 5; i < args.length; i++) {
            boolean single = "short".equals(args[i]);
            int connections = single ? SHORT_SLOTS : Integer.parseInt(args[i]);
            InetSocketAddress server = new InetSocketAddress(host, single ? port + 1 : port);
            PhaseRecorder recorder =
                    new PhaseRecorder(new WarmUp(compilers, longestWarmUpNs), measureNs, connections == 1);
            try (Selector selector = Selector.open()) {
                new EchoClient(selector, server, single, recorder).run(connections);
            }
            System.out.println(recorder.line(args[i]));
        }
    }

    private void run(int connections) throws IOException {
        for (int i = 0; i < connections; i++) {
            open();
        }
        recorder.begin(System.nanoTime());
        Set<SelectionKey> ready = selector.selectedKeys();
        while (!recorder.isOver()) {
            if (selector.select(PATIENCE_MS) == 0) {
                throw new IOException("no answer within " + PATIENCE_MS + " ms");
            }
            for (SelectionKey key : ready) {
                EchoExchange exchange = (EchoExchange) key.attachment();
                if (exchange.onReady(key)) {
                    onExchange(exchange, key);
                }
            }
            ready.clear();
            recorder.onTime(System.nanoTime());
        }
        for (EchoExchange exchange : exchanges) {
            exchange.close();
        }
        selector.selectNow();
    }

    private void open() throws IOException {
        exchanges.add(new EchoExchange(nextId++, single, selector, server));
    }

    private void onExchange(EchoExchange exchange, SelectionKey key) throws IOException {
        recorder.onExchange();
        if (single) {
            exchange.close();
            exchange.connect(selector, server);
        } else {
            exchange.send(key);
        }
    }
}
