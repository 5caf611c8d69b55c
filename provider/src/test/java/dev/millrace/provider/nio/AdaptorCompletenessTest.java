package dev.millrace.provider.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.DatagramSocket;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No method of {@code Socket}, {@code ServerSocket} and {@code DatagramSocket} may fall back on a kernel socket of its own behind the adaptor's back. */
class AdaptorCompletenessTest {
    @Test
    void socketAdaptorOverridesEveryMethod() {
        assertEquals(List.of(), inherited(Socket.class, SocketAdaptor.class));
    }

    @Test
    void serverSocketAdaptorOverridesEveryMethod() {
        assertEquals(List.of(), inherited(ServerSocket.class, ServerSocketAdaptor.class));
    }

    @Test
    void datagramSocketAdaptorOverridesEveryMethod() {
        assertEquals(List.of(), inherited(DatagramSocket.class, DatagramSocketAdaptor.class));
    }

    private static List<String> inherited(Class<?> base, Class<?> adaptor) {
        return Stream.of(base.getDeclaredMethods())
                .filter(AdaptorCompletenessTest::isOverridable)
                .filter(method -> !isDeclaredBy(adaptor, method))
                .map(Method::toString)
                .sorted()
                .toList();
    }

    private static boolean isOverridable(Method method) {
        Set<Integer> reachable = Set.of(Modifier.PUBLIC, Modifier.PROTECTED);
        int modifiers = method.getModifiers();
        return reachable.contains(modifiers & (Modifier.PUBLIC | Modifier.PROTECTED))
                && !Modifier.isStatic(modifiers)
                && !Modifier.isFinal(modifiers)
                && !method.isSynthetic();
    }

    private static boolean isDeclaredBy(Class<?> adaptor, Method method) {
        return Stream.of(adaptor.getDeclaredMethods())
                .anyMatch(own -> own.getName().equals(method.getName())
                        && List.of(own.getParameterTypes()).equals(List.of(method.getParameterTypes())));
    }
}
