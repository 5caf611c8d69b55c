package dev.millrace.provider.nio;

import java.nio.channels.SelectionKey;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.ConcurrentModificationException;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * A selector's selected-key set: keys may be removed but not added by the application. An array in which each key knows its index, so
 * that membership, addition and removal are a few instructions and leave no garbage; a removal moves the last key into the gap,
 * which is why iteration runs from the end.
 *
 * <p>As the JDK's: not thread-safe, guarded by its own monitor while a selection runs; only selections add, and a key that another
 * thread cancels stays until the next one.
 */
final class SelectedKeys extends AbstractSet<SelectionKey> {
    private final MillraceSelector selector;
    private MillraceKey[] keys = new MillraceKey[16];
    private int size;
    private int modifications;
    private FromTheEnd lastIterator = new FromTheEnd();

    SelectedKeys(MillraceSelector selector) {
        this.selector = selector;
    }

    void addSelected(MillraceKey key) {
        if (size == keys.length) {
            keys = Arrays.copyOf(keys, 2 * size);
        }
        key.selectedIndex = size;
        keys[size++] = key;
        modifications++;
    }

    boolean holds(MillraceKey key) {
        return key.selectedIndex >= 0;
    }

    boolean removeSelected(MillraceKey key) {
        int index = key.selectedIndex;
        if (index < 0) {
            return false;
        }
        MillraceKey last = keys[--size];
        keys[index] = last;
        last.selectedIndex = index;
        keys[size] = null;
        key.selectedIndex = -1;
        modifications++;
        return true;
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public boolean isEmpty() {
        return size == 0;
    }

    @Override
    public boolean contains(Object object) {
        return object instanceof MillraceKey key && key.owner() == selector && holds(key);
    }

    @Override
    public boolean add(SelectionKey key) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean remove(Object object) {
        return object instanceof MillraceKey key && key.owner() == selector && removeSelected(key);
    }

    @Override
    public void clear() {
        for (int i = 0; i < size; i++) {
            keys[i].selectedIndex = -1;
            keys[i] = null;
        }
        size = 0;
        modifications++;
    }

    /** The one of the last loop over the keys again, once that has ended: each selection has such a loop, and must leave no garbage. */
    @Override
    public Iterator<SelectionKey> iterator() {
        if (!lastIterator.isDone()) {
            lastIterator = new FromTheEnd();
        }
        lastIterator.begin();
        return lastIterator;
    }

    private final class FromTheEnd implements Iterator<SelectionKey> {
        private int next;
        private int expected;
        private boolean removable;
        /** {@link #hasNext} has said so. */
        private boolean ended = true;

        void begin() {
            next = size;
            expected = modifications;
            removable = false;
            ended = false;
        }

        /** It has come to its end, or would throw ConcurrentModificationException. */
        boolean isDone() {
            return ended || expected != modifications;
        }

        @Override
        public boolean hasNext() {
            ended = next == 0;
            return !ended;
        }

        @Override
        public SelectionKey next() {
            checkUnmodified();
            if (next == 0) {
                throw new NoSuchElementException();
            }
            removable = true;
            return keys[--next];
        }

        @Override
        public void remove() {
            if (!removable) {
                throw new IllegalStateException();
            }
            checkUnmodified();
            removable = false;
            removeSelected(keys[next]);
            expected = modifications;
        }

        private void checkUnmodified() {
            if (expected != modifications) {
                throw new ConcurrentModificationException();
            }
        }
    }
}
