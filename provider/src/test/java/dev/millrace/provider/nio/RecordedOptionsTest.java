package dev.millrace.provider.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.tcp.TcpOptions;
import java.io.IOException;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.NetworkChannel;
import java.util.List;
import java.util.stream.Stream;
import jdk.net.ExtendedSocketOptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Each option and each value, on a recorded option set and on a kernel socket: they must answer alike. */
class RecordedOptionsTest {
    private static final List<Integer> NUMBERS = List.of(
            Integer.MIN_VALUE, -1, 0, 1, 2, 19, 127, 128, 255, 256, 1000, 4096, 32767, 32768, 65535, 65536, 1 << 20);

    @TestFactory
    Stream<DynamicTest> aClientAnswersAsTheKernelDoes() throws IOException {
        return cases(() -> KernelOracle.provider().openSocketChannel(), true);
    }

    @TestFactory
    Stream<DynamicTest> aListenerAnswersAsTheKernelDoes() throws IOException {
        return cases(() -> KernelOracle.provider().openServerSocketChannel(), false);
    }

    private interface Opener {
        NetworkChannel open() throws IOException;
    }

    private static Stream<DynamicTest> cases(Opener opener, boolean client) throws IOException {
        try (NetworkChannel channel = opener.open()) {
            return channel.supportedOptions().stream()
                    .flatMap(option -> values(option)
                            .map(value -> DynamicTest.dynamicTest(
                                    option.name() + "=" + value, () -> compare(opener, client, option, value))));
        }
    }

    private static Stream<Object> values(SocketOption<?> option) {
        return option.type() == Boolean.class
                ? Stream.of(true, false)
                : NUMBERS.stream().map(number -> number);
    }

    @SuppressWarnings("unchecked") // values() gives what the option's type asks for
    private static <T> void compare(Opener opener, boolean client, SocketOption<T> option, Object value)
            throws IOException {
        RecordedOptions recorded = fresh(client);
        try (NetworkChannel oracle = opener.open()) {
            assertEquals(oracle.supportedOptions(), recorded.supported());
            assertEquals(oracle.getOption(option), recorded.get(option), "fresh");
            String expected = outcome(() -> oracle.setOption(option, (T) value));
            String actual = outcome(() -> {
                recorded.checkSettable(option, (T) value);
                recorded.set(option, value);
            });
            assertEquals(expected, actual);
            assertEquals(oracle.getOption(option), recorded.get(option), "after setting it");
        }
    }

    private interface Attempt {
        void run() throws IOException;
    }

    private static String outcome(Attempt attempt) {
        try {
            attempt.run();
            return "set";
        } catch (IOException | RuntimeException e) {
            return e.toString();
        }
    }

    private static RecordedOptions fresh(boolean client) {
        return new RecordedOptions(
                client ? KernelOptions.client(KernelOracle::provider) : KernelOptions.server(KernelOracle::provider));
    }

    @Test
    void replaysToAKernelChannelExactlyWhatWasSet() throws IOException {
        RecordedOptions recorded = fresh(true);
        recorded.set(StandardSocketOptions.TCP_NODELAY, true);
        recorded.set(StandardSocketOptions.SO_LINGER, 5);
        recorded.set(ExtendedSocketOptions.TCP_KEEPIDLE, 33);
        try (NetworkChannel channel = KernelOracle.provider().openSocketChannel()) {
            int untouched = channel.getOption(StandardSocketOptions.SO_RCVBUF);
            recorded.replayTo(channel);
            assertTrue(channel.getOption(StandardSocketOptions.TCP_NODELAY));
            assertEquals(5, channel.getOption(StandardSocketOptions.SO_LINGER));
            assertEquals(33, channel.getOption(ExtendedSocketOptions.TCP_KEEPIDLE));
            assertEquals(untouched, channel.getOption(StandardSocketOptions.SO_RCVBUF));
        }
    }

    @Test
    void buffersThatWereNeverSetStayAutoTuned() throws IOException {
        RecordedOptions recorded = fresh(true);
        TcpOptions options = new TcpOptions();
        recorded.applyTo(options);
        assertEquals(0, options.receiveBufferBytes);
        assertEquals(0, options.sendBufferBytes);
        assertFalse(options.quickAck);
        recorded.set(StandardSocketOptions.SO_RCVBUF, 10_000);
        recorded.applyTo(options);
        assertEquals(10_000, options.receiveBufferBytes);
    }

    @Test
    void anAcceptedConnectionInheritsItsListenersOptions() throws IOException {
        RecordedOptions listener = fresh(false).withListenerDefaults();
        listener.set(StandardSocketOptions.SO_RCVBUF, 5000);
        RecordedOptions accepted = listener.inherited(KernelOptions.client(KernelOracle::provider));
        assertEquals(5000, accepted.get(StandardSocketOptions.SO_RCVBUF));
        assertTrue(accepted.get(StandardSocketOptions.SO_REUSEADDR), "on by default for listeners");
    }

    @Test
    void refusesOptionsThatTheChannelDoesNotHave() {
        RecordedOptions listener = fresh(false);
        assertThrows(
                UnsupportedOperationException.class, () -> listener.checkSupported(StandardSocketOptions.SO_LINGER));
        assertThrows(NullPointerException.class, () -> listener.checkSupported(null));
    }
}
