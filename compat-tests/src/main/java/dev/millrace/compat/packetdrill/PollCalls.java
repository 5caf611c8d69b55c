package dev.millrace.compat.packetdrill;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** poll and epoll. One thread. */
final class PollCalls {
    private static final long MS = 1_000_000L;

    private final World world;
    private final Descriptors descriptors;

    PollCalls(World world, Descriptors descriptors) {
        this.world = world;
        this.descriptors = descriptors;
    }

    /** When a call that waits this many milliseconds gives up. */
    private long deadlineNs(Value timeoutMs) {
        long timeout = Constants.number(timeoutMs);
        return timeout < 0 ? Long.MAX_VALUE : world.scriptNs() + timeout * MS;
    }

    // ---- poll ----

    Attempt poll(List<Value> arguments) {
        if (!(arguments.get(0) instanceof Value.Listing list)) {
            throw new UnsupportedConstructException("poll " + arguments.get(0));
        }
        long deadline = deadlineNs(arguments.get(2));
        return () -> {
            long ready =
                    list.items().stream().filter(each -> revents(each) != 0).count();
            if (ready == 0 && world.scriptNs() < deadline) {
                return null;
            }
            list.items().forEach(this::checkRevents);
            return Outcome.of(ready);
        };
    }

    private long revents(Value entry) {
        Descriptor descriptor = descriptors.get(Constants.number(Constants.field(entry, "fd", 0, new Value.Whole(-1))));
        long events = Constants.number(Constants.field(entry, "events", 1, new Value.Whole(0)));
        return descriptor == null
                ? Constants.of("POLLNVAL")
                : descriptor.pollMask() & (events | Descriptor.ERR | Descriptor.HUP);
    }

    private void checkRevents(Value entry) {
        Value expected = Constants.field(entry, "revents", 2, new Value.Any());
        long actual = revents(entry);
        if (!Constants.isAny(expected) && Constants.number(expected) != actual) {
            throw new ScriptException("poll: expected revents 0x" + Long.toHexString(Constants.number(expected))
                    + ", the stack told 0x" + Long.toHexString(actual));
        }
    }

    // ---- epoll ----

    Outcome create(long expected) {
        return Outcome.of(descriptors.add(new Epoll(descriptors), expected));
    }

    Outcome control(Epoll epoll, List<Value> arguments) {
        Value event = arguments.get(3);
        long events = event instanceof Value.Struct
                ? Constants.number(Constants.field(event, "events", 0, new Value.Whole(0)))
                : 0;
        return epoll.control(Constants.name(arguments.get(1)), Constants.number(arguments.get(2)), events);
    }

    Attempt await(Epoll epoll, List<Value> arguments) {
        Value expected = arguments.get(1);
        int most = (int) Constants.number(arguments.get(2));
        if (most <= 0) {
            return Attempt.done(Outcome.error("EINVAL"));
        }
        long deadline = deadlineNs(arguments.get(3));
        return () -> taken(epoll.take(most), expected, world.scriptNs() >= deadline);
    }

    private static @Nullable Outcome taken(List<Epoll.Ready> ready, Value expected, boolean late) {
        if (ready.isEmpty()) {
            return late ? Outcome.OK : null;
        }
        List<Value> expectations = expected instanceof Value.Listing list ? list.items() : List.of(expected);
        for (int i = 0; i < Math.min(ready.size(), expectations.size()); i++) {
            checkEvents(ready.get(i), expectations.get(i));
        }
        return Outcome.of(ready.size());
    }

    private static void checkEvents(Epoll.Ready ready, Value expected) {
        if (Constants.isAny(expected)) {
            return;
        }
        long events = Constants.number(Constants.field(expected, "events", 0, new Value.Whole(ready.events())));
        if (events != ready.events()) {
            throw new ScriptException("epoll_wait: expected events 0x" + Long.toHexString(events)
                    + ", the stack told 0x" + Long.toHexString(ready.events()));
        }
    }
}
