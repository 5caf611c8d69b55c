package dev.millrace.provider.routing;

import dev.millrace.stack.wire.IpAddress;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * Decides where a socket lives, when its first {@code bind} or {@code connect} names an address.
 *
 * <p>A rules file ({@link RouteRules}) decides alone. Without one: a bind to an own address of the link goes to the stack, to a wildcard or
 * loopback address to both (other processes must still reach it), to anything else to the kernel. A connect follows the address
 * the socket was bound to, if that says which side owns it; otherwise destinations that the link reaches go to the stack, loopback
 * goes to the stack exactly if a socket of this JVM listens there on the stack, and the rest goes to the kernel.
 *
 * <p>Immutable; any thread.
 */
public final class Router {
    private static final IpAddress LOOPBACK4 = IpAddress.v4(0x7f00_0001);

    private final Reach reach;
    private final @Nullable RouteRules rules;

    public Router(Reach reach, @Nullable RouteRules rules) {
        this.reach = reach;
        this.rules = rules;
    }

    /** Where a bind to {@code local} (resolved; port 0 for ephemeral) goes. */
    public Decision bind(InetSocketAddress local) {
        IpAddress address = addressOf(local);
        if (rules != null) {
            return rules.bind(address, local.getPort());
        }
        if (address.isAny()) {
            return Decision.both("a wildcard address belongs to the stack and the kernel");
        }
        if (address.isLoopback()) {
            return Decision.both("loopback is shared with other processes");
        }
        return reach.owns(address)
                ? Decision.stack(address + " is an address of the link")
                : Decision.kernel(address + " is not an address of the link");
    }

    /**
     * Where a connect to {@code remote} (resolved) goes.
     *
     * @param boundTo what the socket was explicitly bound to, or null
     */
    public Decision connect(InetSocketAddress remote, @Nullable InetSocketAddress boundTo) {
        if (boundTo != null) {
            IpAddress bound = addressOf(boundTo);
            if (!bound.isAny() && !bound.isLoopback()) {
                return reach.owns(bound)
                        ? Decision.stack("bound to " + bound + ", an address of the link")
                        : Decision.kernel("bound to " + bound + ", which is not an address of the link");
            }
        }
        IpAddress address = addressOf(remote);
        if (address.isAny()) {
            address = LOOPBACK4;
        }
        if (rules != null) {
            return rules.connect(address, remote.getPort());
        }
        if (address.isLoopback()) {
            return reach.listensOn(address, remote.getPort())
                    ? Decision.stack("a socket of this JVM listens there on the stack")
                    : Decision.kernel("loopback, and no socket of this JVM listens there on the stack");
        }
        if (reach.owns(address)) {
            return Decision.stack(address + " is an address of the link");
        }
        return reach.routes(address)
                ? Decision.stack(address + " is reached through the link")
                : Decision.kernel(address + " is not reached through the link");
    }

    private static IpAddress addressOf(InetSocketAddress endpoint) {
        InetAddress address = endpoint.getAddress();
        if (address == null) {
            throw new IllegalArgumentException("unresolved: " + endpoint);
        }
        return IpAddress.of(address.getAddress());
    }
}
