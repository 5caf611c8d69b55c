package dev.millrace.compat.contract;

import dev.millrace.provider.MillraceSelectorProvider;
import dev.millrace.provider.agent.JdkAccess;
import dev.millrace.provider.driver.ManualDriver;
import dev.millrace.provider.settings.Settings;
import dev.millrace.provider.settings.SettingsSource;
import java.io.IOException;
import java.nio.channels.spi.SelectorProvider;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The providers that the contract suite is run against. */
enum Subject {
    /** The oracle. */
    JDK(null),
    /** Without settings, as the plain SPI way gives it: connections of this JVM over loopback addresses run on the stack. */
    MILLRACE(""),
    CARETAKER_TWO_SHARDS("driver=caretaker;shards=2"),
    DEDICATED("driver=dedicated"),
    INLINE_TWO_SHARDS_SLEEPING("driver=inline;shards=2;spin=0"),
    /** This JVM turns the cores itself, in a thread that a program would have for its own events. */
    MANUAL("driver=manual");

    private static final SelectorProvider OF_THE_PROCESS = new MillraceSelectorProvider();
    private static final long MANUAL_PAUSE_NS = 50_000;

    private final @Nullable String settings;

    Subject(@Nullable String settings) {
        this.settings = settings;
    }

    boolean isMillrace() {
        return settings != null;
    }

    /** A provider, and what ends it. */
    record Running(SelectorProvider provider, AutoCloseable end) {}

    Running start() throws IOException {
        if (settings == null) {
            return new Running(jdk(), () -> {});
        }
        if (settings.isEmpty()) {
            return new Running(OF_THE_PROCESS, () -> {});
        }
        Settings parsed = Settings.of(SettingsSource.of(settings, new Properties()));
        MillraceSelectorProvider provider = MillraceSelectorProvider.of(parsed, JdkAccess.BY_FLAGS);
        var runtime = Objects.requireNonNull(provider.runtime());
        if (!(runtime.driver() instanceof ManualDriver driver)) {
            return new Running(provider, runtime);
        }
        Thread turning = Thread.ofPlatform().daemon().name("manual driver").start(() -> turnUntilInterrupted(driver));
        return new Running(provider, () -> {
            turning.interrupt();
            turning.join();
            runtime.close();
        });
    }

    private static void turnUntilInterrupted(ManualDriver driver) {
        while (!Thread.currentThread().isInterrupted()) {
            if (driver.turn(System.nanoTime()) == 0) {
                LockSupport.parkNanos(MANUAL_PAUSE_NS);
            }
        }
    }

    static SelectorProvider jdk() {
        try {
            // Exported by a flag of the tests' JVM only, so that it cannot be compiled against with --release.
            return (SelectorProvider) Class.forName("sun.nio.ch.DefaultSelectorProvider")
                    .getMethod("get")
                    .invoke(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the tests' JVM needs --add-exports java.base/sun.nio.ch=ALL-UNNAMED", e);
        }
    }
}
