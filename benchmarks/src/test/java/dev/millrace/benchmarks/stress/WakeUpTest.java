package dev.millrace.benchmarks.stress;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.benchmarks.jmh.LoopEcho;
import dev.millrace.provider.MillraceSelectorProvider;
import dev.millrace.provider.agent.JdkAccess;
import dev.millrace.provider.settings.Settings;
import dev.millrace.provider.settings.SettingsSource;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Threads that sleep whenever they can, under every driver: each round trip needs each wake-up between application, core and
 * caretaker, and no wait has a timeout, so that a lost one is a test that does not end.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WakeUpTest {
    private static final long DURATION_NS = TimeUnit.MILLISECONDS.toNanos(1_500);
    private static final int BYTES = 64;
    private static final int LEAST_ROUND_TRIPS = 20;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "driver=inline;spin=0",
                "driver=inline;spin=0;shards=2",
                "driver=caretaker;spin=0",
                "driver=caretaker;spin=0;shards=2",
                "driver=dedicated"
            })
    void aSelectingThreadIsWokenEachTime(String settings) throws Exception {
        try (Started started = Started.with(settings);
                LoopEcho echo = new LoopEcho(started.provider)) {
            long endNs = System.nanoTime() + DURATION_NS;
            int count = 0;
            while (System.nanoTime() - endNs < 0) {
                echo.roundTrip();
                count++;
            }
            assertTrue(count >= LEAST_ROUND_TRIPS, count + " round trips");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "driver=inline;spin=0",
                "driver=inline;spin=20",
                "driver=inline;spin=0;shards=2",
                "driver=caretaker;spin=0",
                "driver=dedicated"
            })
    void aBlockingThreadAndASelectingThreadWakeEachOther(String settings) throws Exception {
        try (Started started = Started.with(settings);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
                ServerSocketChannel listener = started.provider.openServerSocketChannel()) {
            listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            Thread echo = Thread.ofPlatform().daemon().start(() -> echo(started, listener));
            Future<Integer> virtual = threads.submit(() -> client(started, listener));
            int platform = client(started, listener);
            assertTrue(platform >= LEAST_ROUND_TRIPS, platform + " round trips");
            assertTrue(virtual.get() >= LEAST_ROUND_TRIPS, virtual.get() + " round trips of a virtual thread");
            echo.join();
        }
    }

    /** Exchanges with blocking calls until time is up. */
    private static int client(Started started, ServerSocketChannel listener) throws IOException {
        try (SocketChannel channel = started.provider.openSocketChannel()) {
            channel.connect(listener.getLocalAddress());
            ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES);
            long endNs = System.nanoTime() + DURATION_NS;
            int count = 0;
            while (System.nanoTime() - endNs < 0) {
                buffer.clear().putInt(0, ++count);
                channel.write(buffer);
                buffer.clear();
                readFully(channel, buffer);
                assertTrue(buffer.getInt(0) == count, "wrong bytes came back");
            }
            return count;
        }
    }

    private static void readFully(SocketChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException();
            }
        }
    }

    /** Echoes for two clients with a selector that has no timeout, and ends when both have closed. */
    private static void echo(Started started, ServerSocketChannel listener) {
        try (Selector selector = started.provider.openSelector()) {
            for (int i = 0; i < 2; i++) {
                SocketChannel accepted = listener.accept();
                accepted.configureBlocking(false);
                accepted.register(selector, SelectionKey.OP_READ);
            }
            ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES);
            int open = 2;
            while (open > 0) {
                selector.select();
                for (SelectionKey key : selector.selectedKeys()) {
                    SocketChannel channel = (SocketChannel) key.channel();
                    buffer.clear();
                    if (channel.read(buffer) < 0) {
                        channel.close();
                        open--;
                    } else {
                        channel.write(buffer.flip());
                    }
                }
                selector.selectedKeys().clear();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A stack on {@code link=loop} for one test. */
    private record Started(MillraceSelectorProvider provider) implements AutoCloseable {
        static Started with(String settings) throws IOException {
            SettingsSource source = SettingsSource.of("link=loop;" + settings, new Properties());
            return new Started(MillraceSelectorProvider.of(Settings.of(source), JdkAccess.BY_FLAGS));
        }

        @Override
        public void close() throws IOException {
            Objects.requireNonNull(provider.runtime()).close();
        }
    }
}
