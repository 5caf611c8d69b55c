package dev.millrace.provider;

import dev.millrace.provider.driver.Driver;
import dev.millrace.provider.routing.Router;
import dev.millrace.provider.routing.SocketJournal;
import dev.millrace.stack.core.Stack;
import java.io.IOException;
import java.nio.channels.spi.SelectorProvider;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Everything that the channels and selectors of one provider share: the stack and who drives it, the kernel's provider for
 * what the stack does not serve, routing and its journal. Any thread.
 */
@SuppressWarnings("AvoidCommonTypeNames") // the word for it; java.lang.Runtime is not used in this package
public final class Runtime {
    private final SelectorProvider provider;
    private final @Nullable SelectorProvider kernel;
    private final Stack stack;
    private final Driver driver;
    private final Router router;
    private final SocketJournal journal = new SocketJournal();

    Runtime(SelectorProvider provider, @Nullable SelectorProvider kernel, Stack stack, Driver driver, Router router) {
        this.provider = Objects.requireNonNull(provider);
        this.kernel = kernel;
        this.stack = stack;
        this.driver = driver;
        this.router = router;
    }

    /**
     * The JDK's own provider.
     *
     * @throws IOException with the flag that is missing, when the JVM keeps it out of reach
     */
    public SelectorProvider kernel() throws IOException {
        if (kernel == null) {
            throw new IOException("kernel sockets need the JVM flag --add-exports java.base/sun.nio.ch=ALL-UNNAMED");
        }
        return kernel;
    }

    public Stack stack() {
        return stack;
    }

    public Driver driver() {
        return driver;
    }

    public Router router() {
        return router;
    }

    public SocketJournal journal() {
        return journal;
    }

    /** What {@code channel.provider()} answers. */
    public SelectorProvider provider() {
        return provider;
    }
}
