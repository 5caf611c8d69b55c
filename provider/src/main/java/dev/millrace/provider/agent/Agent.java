package dev.millrace.provider.agent;

import dev.millrace.provider.MillraceSelectorProvider;
import dev.millrace.provider.SharedStart;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.nio.channels.spi.SelectorProvider;
import org.jspecify.annotations.Nullable;

/**
 * {@code -javaagent:millrace.jar=key=value;key=value}: makes Millrace the JVM's provider before the application's {@code main} runs, and
 * starts it, or ends the JVM with one line that says why not.
 */
public final class Agent {
    private static final String PROPERTY = "java.nio.channels.spi.SelectorProvider";

    private Agent() {}

    /** Called by the JVM. */
    public static void premain(@Nullable String argument, Instrumentation instrumentation) {
        String problem = start(argument == null ? "" : argument, instrumentation);
        if (problem != null) {
            System.err.println("millrace: " + problem);
            System.exit(1);
        }
    }

    /** Null when Millrace runs, or when everything goes to the kernel as was asked for. */
    private static @Nullable String start(String argument, Instrumentation instrumentation) {
        String name = MillraceSelectorProvider.class.getName();
        String other = System.setProperty(PROPERTY, name);
        if (other != null && !other.equals(name)) {
            return PROPERTY + "=" + other + ": another provider is asked for; allowed with the agent: nothing, or "
                    + name + "; drop that property or the agent";
        }
        try {
            JdkAccess access = OpenedJdk.open(instrumentation);
            access.allowNativeAccess();
            SharedStart.prepare(argument, access);
        } catch (IOException | ReflectiveOperationException | LinkageError e) {
            return "this JDK (" + Runtime.version() + ") cannot be opened for Millrace: " + e + "; use JDK 25";
        }
        if (SelectorProvider.provider() instanceof MillraceSelectorProvider provider) {
            return provider.start();
        }
        return "another agent has used NIO before this one; put millrace's -javaagent first";
    }
}
