package dev.millrace.provider;

import dev.millrace.provider.agent.JdkAccess;
import dev.millrace.provider.settings.OnFailure;
import dev.millrace.provider.settings.Settings;
import dev.millrace.provider.settings.SettingsSource;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Starts the one runtime of this process, once, from the settings of agent and system properties. Any thread. */
public final class SharedStart {
    private static String agentArgument = "";
    private static JdkAccess access = JdkAccess.BY_FLAGS;
    private static @Nullable Outcome outcome;

    /** What became of it. */
    sealed interface Outcome {
        /** Sockets are routed between stack and kernel. */
        record Running(Runtime runtime) implements Outcome {}

        /** It could not start, and {@code onfailure=kernel} was asked for. */
        record KernelOnly(java.nio.channels.spi.SelectorProvider kernel) implements Outcome {}

        /** It could not start. */
        record Failed(String line) implements Outcome {}
    }

    private SharedStart() {}

    /** What the agent knows, before the first use. */
    public static synchronized void prepare(String argument, JdkAccess opened) {
        agentArgument = argument;
        access = opened;
    }

    /** The outcome; the first caller causes it and becomes the runtime's provider. */
    static synchronized Outcome outcome(MillraceSelectorProvider provider) {
        Outcome known = outcome;
        if (known == null) {
            known = start(provider);
            outcome = known;
        }
        return known;
    }

    private static Outcome start(MillraceSelectorProvider provider) {
        SettingsSource source = SettingsSource.of(agentArgument, System.getProperties());
        String line;
        try {
            Settings settings = Settings.of(source);
            Runtime runtime = Runtime.start(settings, provider, access);
            access.atTheEnd(runtime::close);
            if (!settings.quiet()) {
                System.err.println("millrace: " + StartLine.of(settings, runtime));
            }
            return new Outcome.Running(runtime);
        } catch (IOException e) {
            line = String.valueOf(e.getMessage());
        } catch (RuntimeException | LinkageError e) {
            line = "a defect of Millrace: " + e + "; please report it with the lines that follow";
            e.printStackTrace();
        }
        var kernel = access.kernelProvider();
        if (source.onFailure() == OnFailure.STOP) {
            return new Outcome.Failed(line);
        }
        if (kernel == null) {
            return new Outcome.Failed(line + "; and onfailure=kernel needs the JVM flag " + Runtime.KERNEL_FLAG);
        }
        System.err.println("millrace: every socket is on the kernel (onfailure=kernel): " + line);
        return new Outcome.KernelOnly(kernel);
    }
}
