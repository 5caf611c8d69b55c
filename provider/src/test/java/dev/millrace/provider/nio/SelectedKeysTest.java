package dev.millrace.provider.nio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.channels.SelectionKey;
import java.util.ArrayList;
import java.util.ConcurrentModificationException;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SelectedKeysTest {
    private final SelectedKeys set = new SelectedKeys(null);

    private MillraceKey selectedKey() {
        MillraceKey key = key();
        set.addSelected(key);
        return key;
    }

    private static MillraceKey key() {
        return new MillraceKey(null, null, null, 0);
    }

    @Test
    void holdsWhatWasSelected() {
        MillraceKey key = selectedKey();
        assertEquals(Set.of(key), set);
        assertTrue(set.contains(key));
        assertFalse(set.contains(key()));
    }

    @Test
    void refusesAdditionByTheApplication() {
        assertThrows(UnsupportedOperationException.class, () -> set.add(key()));
        assertThrows(UnsupportedOperationException.class, () -> set.addAll(List.of(key())));
    }

    @Test
    void removesEachKeyThroughItsIterator() {
        Set<SelectionKey> expected = new HashSet<>();
        for (int i = 0; i < 100; i++) {
            expected.add(selectedKey());
        }
        for (Iterator<SelectionKey> keys = set.iterator(); keys.hasNext(); ) {
            assertTrue(expected.remove(keys.next()), "each key once");
            keys.remove();
        }
        assertEquals(Set.of(), expected);
        assertTrue(set.isEmpty());
    }

    @Test
    void aLoopInsideALoopHasAnIteratorOfItsOwn() {
        int pairs = 0;
        for (int i = 0; i < 10; i++) {
            selectedKey();
        }
        for (SelectionKey outer : set) {
            for (SelectionKey inner : set) {
                pairs += outer.equals(inner) ? 1 : 2;
            }
        }
        assertEquals(10 + 2 * 90, pairs);
    }

    @Test
    void oneLoopAfterAnotherLeavesNoGarbage() {
        selectedKey();
        Iterator<SelectionKey> first = set.iterator();
        assertNotSame(first, set.iterator(), "the first has not come to its end");
        Iterator<SelectionKey> second = set.iterator();
        while (second.hasNext()) {
            second.next();
        }
        assertSame(second, set.iterator());
    }

    @Test
    void removesSomeThroughItsIteratorAndVisitsAllOthersOnce() {
        Random random = new Random(7);
        Set<SelectionKey> expected = new HashSet<>();
        Set<SelectionKey> kept = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            expected.add(selectedKey());
        }
        for (Iterator<SelectionKey> keys = set.iterator(); keys.hasNext(); ) {
            SelectionKey key = keys.next();
            assertTrue(expected.remove(key), "each key once");
            if (random.nextBoolean()) {
                keys.remove();
            } else {
                kept.add(key);
            }
        }
        assertEquals(Set.of(), expected);
        assertEquals(kept, new HashSet<>(set));
    }

    @Test
    void anIteratorEndsWithNoSuchElement() {
        selectedKey();
        Iterator<SelectionKey> keys = set.iterator();
        keys.next();
        assertFalse(keys.hasNext());
        assertThrows(NoSuchElementException.class, keys::next);
    }

    @Test
    void anIteratorRemovesOnlyWhatItHasGiven() {
        selectedKey();
        Iterator<SelectionKey> keys = set.iterator();
        assertThrows(IllegalStateException.class, keys::remove);
        keys.next();
        keys.remove();
        assertThrows(IllegalStateException.class, keys::remove);
    }

    @Test
    void anIteratorNoticesForeignRemoval() {
        MillraceKey first = selectedKey();
        selectedKey();
        Iterator<SelectionKey> keys = set.iterator();
        set.remove(first);
        assertThrows(ConcurrentModificationException.class, keys::next);
    }

    @Test
    void aRemovedKeyCanBeSelectedAgain() {
        MillraceKey key = selectedKey();
        selectedKey();
        assertTrue(set.remove(key));
        assertFalse(set.remove(key));
        set.addSelected(key);
        assertEquals(2, set.size());
        set.clear();
        assertEquals(List.of(), new ArrayList<>(set));
        assertFalse(set.contains(key));
        set.addSelected(key);
        assertEquals(Set.of(key), set);
    }
}
