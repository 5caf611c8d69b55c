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
 * <p>A datagram socket that was not bound by name is bound on both sides. One that is on both, as a bind to a wildcard or loopback
 * address puts it, receives from both, and each destination decides by itself which side a datagram leaves from. One that is bound to an
 * address of the link has the stack alone, which knows no groups and no broadcasts.
 *
 * <p>Immutable; any thread.
 */
public final class Router {
    private static final IpAddress LOOPBACK4 = IpAddress.v4(0x7f00_0001);
    private static final IpAddress LOOPBACK6 = new IpAddress(0, 1);
    private static final IpAddress BROADCAST = IpAddress.v4(-1);

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
        return byLink(address);
    }

    /** Where a datagram socket goes that is used before it was bound. */
    public Decision bindUnnamed() {
        return Decision.both("not bound by name, so it is reachable from both sides");
    }

    /**
     * Which side datagrams from a socket that is bound on both leave from.
     *
     * @param local the address it is bound to: any, or a loopback one
     * @param remote not any
     */
    public Decision datagram(IpAddress local, int localPort, IpAddress remote, int remotePort) {
        if (isGroup(remote)) {
            return Decision.kernel("multicast and broadcast belong to the kernel");
        }
        if (!local.isAny() && !(remote.isLoopback() && remote.isV4() == local.isV4())) {
            return Decision.kernel("bound to " + local + ", from where only loopback is reached");
        }
        if (rules != null) {
            return rules.connect(remote, remotePort);
        }
        if (remote.isLoopback()) {
            return receivesOnLoopback(local, localPort, remote, remotePort)
                    ? Decision.stack("a socket of this JVM receives there on the stack")
                    : Decision.kernel("loopback, and no socket of this JVM receives there on the stack");
        }
        return byLink(remote);
    }

    private Decision byLink(IpAddress remote) {
        if (reach.owns(remote)) {
            return Decision.stack(remote + " is an address of the link");
        }
        return reach.routes(remote)
                ? Decision.stack(remote + " is reached through the link")
                : Decision.kernel(remote + " is not reached through the link");
    }

    /** Whether {@link #datagram} may decide otherwise the next time: what receives on loopback comes and goes. */
    public boolean mayChange(IpAddress remote) {
        return rules == null && remote.isLoopback();
    }

    /** What {@link #datagram} decides about a loopback destination without rules. Allocates nothing. */
    public boolean receivesOnLoopback(IpAddress local, int localPort, IpAddress remote, int remotePort) {
        IpAddress source = !local.isAny() ? local : remote.isV4() ? LOOPBACK4 : LOOPBACK6;
        return reach.receivesDatagram(remote, remotePort, source, localPort);
    }

    /** Whether a datagram socket that is bound to an address of the link reaches {@code remote}. */
    public boolean reachesFromLink(IpAddress local, IpAddress remote) {
        return !isGroup(remote)
                && local.isV4() == remote.isV4()
                && !remote.isLoopback()
                && (reach.owns(remote) || reach.routes(remote));
    }

    private static boolean isGroup(IpAddress address) {
        return address.isMulticast() || address.equals(BROADCAST);
    }

    private static IpAddress addressOf(InetSocketAddress endpoint) {
        InetAddress address = endpoint.getAddress();
        if (address == null) {
            throw new IllegalArgumentException("unresolved: " + endpoint);
        }
        return IpAddress.of(address.getAddress());
    }
}
