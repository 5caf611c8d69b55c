package dev.millrace.provider.nio;

import java.util.Arrays;
import org.jctools.queues.varhandle.MpscUnboundedVarHandleArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one selector that are ready on the stack, or were when last looked at: level triggering at a cost of O(ready). Any thread
 * offers; the selecting thread moves what was offered to the list, where a key stays for as long as it is ready. JCTools' many-to-one
 * queues; a key is in the ready queue or on the list at most once, which its own pending bit sees to.
 */
final class ActiveKeys {
    private static final int QUEUE_CHUNK = 256;

    private final MpscUnboundedVarHandleArrayQueue<MillraceKey> readyQueue =
            new MpscUnboundedVarHandleArrayQueue<>(QUEUE_CHUNK);
    private final MpscUnboundedVarHandleArrayQueue<MillraceKey> updateQueue =
            new MpscUnboundedVarHandleArrayQueue<>(QUEUE_CHUNK);

    // the selecting thread's own
    private @Nullable MillraceKey[] list = new @Nullable MillraceKey[16];
    private int count;

    // ---- any thread ----

    void offerReady(MillraceKey key) {
        readyQueue.offer(key);
    }

    /** The interest set of this key changed: it counts from the next selection on. */
    void offerUpdate(MillraceKey key) {
        updateQueue.offer(key);
    }

    // ---- the selecting thread ----

    /** Takes in changes of interest, when a selection begins. */
    void applyUpdates() {
        MillraceKey key;
        while ((key = updateQueue.relaxedPoll()) != null) {
            if (key.arm() && key.isValid()) {
                add(key);
            }
        }
    }

    /** Takes in what cores have found ready. */
    void drain() {
        MillraceKey key;
        while ((key = readyQueue.relaxedPoll()) != null) {
            if (key.isValid()) {
                add(key);
            }
        }
    }

    private void add(MillraceKey key) {
        if (count == list.length) {
            list = Arrays.copyOf(list, 2 * count);
        }
        key.activeIndex = count;
        list[count++] = key;
    }

    /** A cheap look; {@link #anyReady} tells for sure. */
    boolean mayBeReady() {
        return count > 0 || !readyQueue.isEmpty();
    }

    /** Whether a selection would find something now. */
    boolean anyReady() {
        drain();
        while (count > 0) {
            if (readyOrLeave(get(0)) != 0) {
                return true;
            }
        }
        return false;
    }

    int count() {
        return count;
    }

    MillraceKey get(int index) {
        MillraceKey key = list[index];
        assert key != null : "a hole in the list";
        return key;
    }

    /** Ready operations of a key on the list; if there are none, it leaves, and the last one takes its place. */
    int readyOrLeave(MillraceKey key) {
        int ops = key.stackReady();
        while (ops == 0) {
            if (!key.unqueue()) {
                remove(key);
                return 0;
            }
            ops = key.stackReady(); // it became ready just then, and so stays
        }
        return ops;
    }

    /** Takes a key off the list if it is on it. */
    void remove(MillraceKey key) {
        int index = key.activeIndex;
        if (index < 0) {
            return;
        }
        MillraceKey last = get(--count);
        list[index] = last;
        last.activeIndex = index;
        list[count] = null;
        key.activeIndex = -1;
    }
}
