package dev.millrace.provider.routing;

import dev.millrace.stack.core.StackConfig.Interface;
import dev.millrace.stack.wire.IpAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rules of a {@code routes} file, in the style of the JDK's SDP configuration: the first rule that matches verb, address
 * and port decides, and what no rule matches goes to the kernel.
 *
 * <pre>
 * bind    203.0.113.1      *
 * connect 203.0.113.0/24   1024-*
 * connect 203.0.113.9      22        kernel
 * bind    *                8080      both
 * </pre>
 *
 * Immutable; any thread.
 */
public final class RouteRules {
    /** What a rule speaks about. */
    public enum Verb {
        BIND,
        CONNECT
    }

    /**
     * One line.
     *
     * @param prefix addresses it matches; null for every address of both families
     * @param route where a match goes; null for the usual side: the stack, or both for a bind to a wildcard or loopback address
     */
    public record Rule(
            Verb verb,
            @Nullable Interface prefix,
            int firstPort,
            int lastPort,
            @Nullable Route route,
            String text) {
        boolean matches(Verb asked, IpAddress address, int port) {
            return verb == asked
                    && port >= firstPort
                    && port <= lastPort
                    && (prefix == null || prefix.contains(address));
        }
    }

    private final String source;
    private final List<Rule> rules;

    /** @param source the file's name, for reasons */
    public RouteRules(String source, List<Rule> rules) {
        this.source = source;
        this.rules = List.copyOf(rules);
    }

    /** In the order they are tried. */
    public List<Rule> rules() {
        return rules;
    }

    Decision bind(IpAddress address, int port) {
        return decide(Verb.BIND, address, port, address.isAny() || address.isLoopback() ? Route.BOTH : Route.STACK);
    }

    Decision connect(IpAddress address, int port) {
        return decide(Verb.CONNECT, address, port, Route.STACK);
    }

    private Decision decide(Verb verb, IpAddress address, int port, Route usual) {
        for (Rule rule : rules) {
            if (rule.matches(verb, address, port)) {
                Route route = rule.route();
                return new Decision(route == null ? usual : route, "rule \"" + rule.text() + "\" of " + source);
            }
        }
        return Decision.kernel("no rule of " + source + " matches");
    }
}
