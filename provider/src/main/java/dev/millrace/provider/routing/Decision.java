package dev.millrace.provider.routing;

/**
 * Where a socket goes, and why.
 *
 * @param reason part of a sentence for people, e.g. {@code 198.18.0.1 is on the link}
 */
public record Decision(Route route, String reason) {
    static Decision stack(String reason) {
        return new Decision(Route.STACK, reason);
    }

    static Decision kernel(String reason) {
        return new Decision(Route.KERNEL, reason);
    }

    static Decision both(String reason) {
        return new Decision(Route.BOTH, reason);
    }
}
