package dev.millrace.provider.agent;

import java.lang.reflect.InvocationTargetException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.spi.SelectorProvider;
import org.jspecify.annotations.Nullable;

/** What Millrace needs of the JDK beyond its public API. The agent opens all of it; without the agent flags open some. */
public interface JdkAccess {
    /** The JDK's own provider, or null when the JVM keeps it out of reach. */
    @Nullable
    SelectorProvider kernelProvider();

    /** Runs {@code action} when the JVM ends; if possible after every shutdown hook of the application. */
    void atTheEnd(Runnable action);

    /** Lets the classes of the class path call native code without a warning. */
    void allowNativeAccess();

    /**
     * Ends the deferred close of a JDK channel ({@code sun.nio.ch.SelChImpl.kill()}); nothing for any other channel. Any thread.
     *
     * @param channel closed, and registered nowhere any more
     */
    void endDeferredClose(SelectableChannel channel);

    /** What flags have opened, and nothing else. */
    JdkAccess BY_FLAGS = new JdkAccess() {
        @Override
        public @Nullable SelectorProvider kernelProvider() {
            try {
                return findKernelProvider();
            } catch (IllegalAccessException e) {
                return null; // not exported; whoever needs it names the flag
            }
        }

        @Override
        public void atTheEnd(Runnable action) {
            Runtime.getRuntime().addShutdownHook(new Thread(action, "millrace-end"));
        }

        @Override
        public void allowNativeAccess() {}

        @Override
        public void endDeferredClose(SelectableChannel channel) {
            try {
                Class<?> closeable = Class.forName("sun.nio.ch.SelChImpl");
                if (closeable.isInstance(channel)) {
                    closeable.getMethod("kill").invoke(channel);
                }
            } catch (ReflectiveOperationException e) {
                // the package that the kernel's provider comes from: without it there are no JDK channels in our
                // selectors
                throw new LinkageError("this JDK has no accessible sun.nio.ch.SelChImpl.kill()", e);
            }
        }
    };

    /** Finds the JDK's provider with the rights of the calling class's module. */
    private static SelectorProvider findKernelProvider() throws IllegalAccessException {
        try {
            return (SelectorProvider) Class.forName("sun.nio.ch.DefaultSelectorProvider")
                    .getMethod("get")
                    .invoke(null);
        } catch (ClassNotFoundException | NoSuchMethodException | InvocationTargetException e) {
            throw new LinkageError("this JDK has no sun.nio.ch.DefaultSelectorProvider.get()", e);
        }
    }
}
