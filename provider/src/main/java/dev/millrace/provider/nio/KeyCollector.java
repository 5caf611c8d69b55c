package dev.millrace.provider.nio;

import java.nio.channels.SelectionKey;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The end of a selection: what is ready goes into the selected keys, or to the application's action. The selecting thread, under the
 * monitors of selector and selected keys.
 */
final class KeyCollector {
    private final MillraceSelector selector;
    private final ActiveKeys active;
    private final LazyKernelSelector kernel;
    private final SelectedKeys selected;

    KeyCollector(MillraceSelector selector, ActiveKeys active, LazyKernelSelector kernel, SelectedKeys selected) {
        this.selector = selector;
        this.active = active;
        this.kernel = kernel;
        this.selected = selected;
    }

    /** @return how many keys were updated */
    int collect(@Nullable Consumer<SelectionKey> action) {
        active.drain();
        int count = 0;
        int i = 0;
        while (i < active.count()) {
            MillraceKey key = active.get(i);
            int ops = active.readyOrLeave(key);
            if (ops != 0) {
                count += select(key, ops | key.takeKernelReady(), action);
                i++;
            }
        }
        KernelSelector inner = kernel.ifMade();
        if (inner != null && inner.hasReady()) {
            count += collectKernel(inner, action);
        }
        return count;
    }

    private int collectKernel(KernelSelector inner, @Nullable Consumer<SelectionKey> action) {
        int count = 0;
        try {
            for (int i = 0; i < inner.readyCount(); i++) {
                MillraceKey key = inner.ready(i);
                int ops = key.takeKernelReady();
                if (ops != 0 && key.isValid()) {
                    count += select(key, ops, action);
                }
            }
        } finally {
            for (int i = 0; i < inner.readyCount(); i++) {
                inner.ready(i).kernelReady = 0;
            }
            inner.clearReady();
        }
        return count;
    }

    private int select(MillraceKey key, int ops, @Nullable Consumer<SelectionKey> action) {
        if (action != null) {
            key.ready(ops);
            action.accept(key);
            selector.ensureOpen();
            return 1;
        }
        if (selected.holds(key)) {
            int before = key.lastReady();
            key.ready(before | ops);
            return (ops & ~before) != 0 ? 1 : 0;
        }
        key.ready(ops);
        selected.addSelected(key);
        return 1;
    }
}
