package dev.millrace.provider.nio;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.channels.SelectableChannel;

/**
 * Ends the deferred close of a JDK channel. Such a channel, closed while registered, keeps its descriptor until the last selector lets go of it,
 * and that selector has to tell it so. JDK selectors do, but a channel that the application registered with one of ours is let go by an
 * inner JDK selector and by ours, in any order: each, after its own key is gone, looks whether it was the last. The call is the JDK's internal
 * {@code SelChImpl.kill()}, in the package that the kernel's provider comes from, and so within reach whenever there are JDK channels.
 */
final class DeferredClose {
    private final Class<?> closeable;
    private final MethodHandle kill;

    /** @throws IOException if the JVM keeps it out of reach */
    DeferredClose() throws IOException {
        try {
            closeable = Class.forName("sun.nio.ch.SelChImpl");
            kill = MethodHandles.lookup()
                    .findVirtual(closeable, "kill", MethodType.methodType(void.class))
                    .asType(MethodType.methodType(void.class, Object.class));
        } catch (ReflectiveOperationException e) {
            throw new IOException("JDK channels in a selector of Millrace need access to sun.nio.ch", e);
        }
    }

    /** Called when our key is gone from the channel. */
    void onDeregistered(SelectableChannel channel) {
        if (channel.isOpen() || channel.isRegistered() || !closeable.isInstance(channel)) {
            return;
        }
        try {
            kill.invokeExact((Object) channel);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("kill() throws nothing checked", e);
        }
    }
}
