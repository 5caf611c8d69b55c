package dev.millrace.compat.simulate;

import java.util.PriorityQueue;

/** What will happen, in the order of its time and, at the same instant, in the order in which it was planned. One thread. */
final class EventQueue {
    private record Event(long atNs, long order, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(atNs, other.atNs);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private long order;

    void at(long atNs, Runnable action) {
        events.add(new Event(atNs, order++, action));
    }

    /** Long.MAX_VALUE when nothing is planned. */
    long nextNs() {
        Event first = events.peek();
        return first == null ? Long.MAX_VALUE : first.atNs();
    }

    /** Does everything that is due. */
    void run(long nowNs) {
        for (Event first = events.peek(); first != null && first.atNs() <= nowNs; first = events.peek()) {
            events.remove();
            first.action().run();
        }
    }
}
