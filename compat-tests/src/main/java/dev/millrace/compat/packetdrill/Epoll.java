package dev.millrace.compat.packetdrill;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An epoll instance: level- or edge-triggered, one-shot. One thread. */
final class Epoll implements Descriptor {
    private static final long ALWAYS = ERR | HUP;

    private final Descriptors descriptors;
    private final Map<Long, Long> interests = new LinkedHashMap<>();
    /** What {@link Descriptor#changes} was when an edge-triggered event was told last. */
    private final Map<Long, Long> told = new HashMap<>();

    Epoll(Descriptors descriptors) {
        this.descriptors = descriptors;
    }

    /** One ready descriptor. */
    record Ready(long descriptor, long events) {}

    Outcome control(String operation, long descriptor, long events) {
        boolean known = interests.containsKey(descriptor);
        switch (operation) {
            case "EPOLL_CTL_ADD" -> {
                if (known) {
                    return Outcome.error("EEXIST");
                }
                interests.put(descriptor, events);
            }
            case "EPOLL_CTL_MOD", "EPOLL_CTL_DEL" -> {
                if (!known) {
                    return Outcome.error("ENOENT");
                }
                if (operation.equals("EPOLL_CTL_DEL")) {
                    interests.remove(descriptor);
                } else {
                    interests.put(descriptor, events);
                }
            }
            default -> throw new UnsupportedConstructException("epoll_ctl " + operation);
        }
        told.remove(descriptor);
        return Outcome.OK;
    }

    /** Those that are ready, at most {@code most}; edge-triggered and one-shot ones count as told. */
    List<Ready> take(int most) {
        List<Ready> ready = new ArrayList<>();
        for (Map.Entry<Long, Long> each : interests.entrySet()) {
            Descriptor descriptor = descriptors.get(each.getKey());
            if (descriptor == null || ready.size() == most) {
                continue;
            }
            long events = descriptor.pollMask() & (each.getValue() | ALWAYS);
            if (each.getValue() == 0 || events == 0) {
                continue;
            }
            if ((each.getValue() & Constants.of("EPOLLET")) != 0) {
                Long before = told.put(each.getKey(), descriptor.changes());
                if (before != null && before == descriptor.changes()) {
                    continue;
                }
            }
            ready.add(new Ready(each.getKey(), events));
            if ((each.getValue() & Constants.of("EPOLLONESHOT")) != 0) {
                each.setValue(0L);
            }
        }
        return ready;
    }

    @Override
    public long pollMask() {
        return interests.entrySet().stream().anyMatch(this::isReady) ? IN : 0;
    }

    private boolean isReady(Map.Entry<Long, Long> interest) {
        Descriptor descriptor = descriptors.get(interest.getKey());
        return descriptor != null
                && interest.getValue() != 0
                && (descriptor.pollMask() & (interest.getValue() | ALWAYS)) != 0;
    }

    @Override
    public long changes() {
        return interests.keySet().stream()
                .map(descriptors::get)
                .filter(each -> each != null)
                .mapToLong(Descriptor::changes)
                .sum();
    }
}
