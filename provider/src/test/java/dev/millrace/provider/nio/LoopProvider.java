package dev.millrace.provider.nio;

import dev.millrace.provider.MillraceSelectorProvider;
import dev.millrace.provider.agent.JdkAccess;
import dev.millrace.provider.settings.Settings;
import dev.millrace.provider.settings.SettingsSource;
import java.io.IOException;
import java.util.Objects;
import java.util.Properties;

/** A provider with a stack of its own on {@code link=loop}, for one test. */
record LoopProvider(MillraceSelectorProvider provider) implements AutoCloseable {
    static LoopProvider start(String... settings) throws IOException {
        SettingsSource source = SettingsSource.of("link=loop;" + String.join(";", settings), new Properties());
        return new LoopProvider(MillraceSelectorProvider.of(Settings.of(source), JdkAccess.BY_FLAGS));
    }

    @Override
    public void close() throws IOException {
        Objects.requireNonNull(provider.runtime()).close();
    }
}
