package dev.millrace.provider.nio;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.junit.jupiter.api.Test;

/** Datagrams to and from peers that are known make no objects: not for one peer, nor for several in turn. */
class DatagramAllocationTest {
    private static final int ROUNDS = 5_000;
    private static final int WARM_UP = 2_000;
    /** Of so many one must make nothing: until the compiler has had its turn, which a busy machine delays, exchanges make what it would have left out. */
    private static final int ATTEMPTS = 40;

    private static final int CLIENTS = 3;

    private final ThreadMXBean threads = assertInstanceOf(ThreadMXBean.class, ManagementFactory.getThreadMXBean());
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(100);

    @Test
    void anEchoOfUnconnectedChannelsMakesNoObjects() throws Exception {
        try (LoopProvider loop = LoopProvider.start()) {
            InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
            DatagramChannel server = loop.provider().openDatagramChannel();
            server.bind(any).configureBlocking(false);
            SocketAddress address = server.getLocalAddress();
            DatagramChannel[] clients = new DatagramChannel[CLIENTS];
            for (int i = 0; i < CLIENTS; i++) {
                clients[i] = loop.provider().openDatagramChannel();
                clients[i].bind(any).configureBlocking(false);
            }
            echo(server, address, clients, WARM_UP);
            long least = Long.MAX_VALUE;
            for (int attempt = 0; attempt < ATTEMPTS && least >= ROUNDS; attempt++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                echo(server, address, clients, ROUNDS);
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            }
            assertTrue(least < ROUNDS, least + " bytes in " + ROUNDS + " exchanges");
            server.close();
            for (DatagramChannel client : clients) {
                client.close();
            }
        }
    }

    private void echo(DatagramChannel server, SocketAddress address, DatagramChannel[] clients, int rounds)
            throws IOException {
        for (int i = 0; i < rounds; i++) {
            DatagramChannel client = clients[i % CLIENTS];
            buffer.clear().limit(10);
            client.send(buffer, address);
            SocketAddress from = receive(server);
            server.send(buffer.flip(), from);
            receive(client);
        }
    }

    private SocketAddress receive(DatagramChannel channel) throws IOException {
        SocketAddress from = channel.receive(buffer.clear());
        while (from == null) {
            from = channel.receive(buffer.clear());
        }
        return from;
    }
}
