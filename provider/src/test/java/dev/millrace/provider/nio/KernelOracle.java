package dev.millrace.provider.nio;

import java.nio.channels.spi.SelectorProvider;

/** The JDK's own provider, which is what everything here must behave like. */
final class KernelOracle {
    private KernelOracle() {}

    static SelectorProvider provider() {
        try {
            return (SelectorProvider) Class.forName("sun.nio.ch.DefaultSelectorProvider")
                    .getMethod("get")
                    .invoke(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JVM needs --add-exports java.base/sun.nio.ch=ALL-UNNAMED", e);
        }
    }
}
