package dev.millrace.compat.contract;

import dev.millrace.provider.MillraceSelectorProvider;
import java.nio.channels.spi.SelectorProvider;

/** The providers that the contract suite is run against. */
enum Subject {
    /** The oracle. */
    JDK {
        @Override
        SelectorProvider open() {
            try {
                // Exported by a flag of the tests' JVM only, so that it cannot be compiled against with --release.
                return (SelectorProvider) Class.forName("sun.nio.ch.DefaultSelectorProvider")
                        .getMethod("get")
                        .invoke(null);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(
                        "the tests' JVM needs --add-exports java.base/sun.nio.ch=ALL-UNNAMED", e);
            }
        }
    },

    /** Millrace with no settings: connections of this JVM over loopback addresses run on its stack. */
    MILLRACE {
        @Override
        SelectorProvider open() {
            return ONE_MILLRACE;
        }
    };

    private static final SelectorProvider ONE_MILLRACE = new MillraceSelectorProvider();

    abstract SelectorProvider open();
}
