package dev.millrace.provider.nio;

import dev.millrace.provider.Runtime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedSelectorException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The inner JDK selector of one of ours, made when the first JDK channel comes. Any thread. */
final class LazyKernelSelector {
    private final MillraceSelector owner;
    private final Runtime runtime;

    private final Object lock = new Object();
    /** Written under {@link #lock}, once. */
    private volatile @Nullable KernelSelector made;

    LazyKernelSelector(MillraceSelector owner, Runtime runtime) {
        this.owner = owner;
        this.runtime = runtime;
    }

    @Nullable
    KernelSelector ifMade() {
        return made;
    }

    /** @throws ClosedSelectorException if the owner is closed, which closes what was made before */
    KernelSelector get() {
        KernelSelector existing = made;
        if (existing != null) {
            return existing;
        }
        synchronized (lock) {
            if (made == null) {
                try {
                    KernelSelector created = new KernelSelector(runtime.kernel(), runtime.jdk());
                    if (!owner.isOpen()) {
                        created.close();
                        throw new ClosedSelectorException();
                    }
                    made = created;
                } catch (IOException e) {
                    throw new UncheckedIOException("no JDK selector for a kernel channel", e);
                }
            }
            return Objects.requireNonNull(made);
        }
    }

    /** When the owner is closed already, so that none is made after this. */
    void close() throws IOException {
        KernelSelector existing;
        synchronized (lock) {
            existing = made;
        }
        if (existing != null) {
            existing.close();
        }
    }
}
