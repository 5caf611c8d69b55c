package dev.millrace.provider;

import dev.millrace.io.capture.CapturingPort;
import dev.millrace.io.distribute.DistributingPort;
import dev.millrace.io.distribute.NeighborSharingPort;
import dev.millrace.io.impair.ImpairedPort;
import dev.millrace.io.impair.Impairment;
import dev.millrace.provider.settings.Settings;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkFactory;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.stream.Collectors;

/** Opens the link that the settings name, through whichever backend serves its scheme. */
public final class Links {
    private Links() {}

    /** Every backend there is, by scheme. */
    public static List<LinkFactory> factories() {
        return ServiceLoader.load(LinkFactory.class, Links.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get)
                .sorted(Comparator.comparing(LinkFactory::scheme))
                .toList();
    }

    /**
     * Opens the link with a queue pair per shard, impaired and captured as the settings say; nothing is left behind when it fails. The
     * capture is outermost: it shows what the stack sent and received.
     */
    static Port open(Settings settings) throws LinkException {
        Impairment impairment = impairment(settings);
        Port port = openLink(settings);
        try {
            port = forShards(port, settings);
            if (!impairment.equals(Impairment.NONE)) {
                port = new ImpairedPort(port, impairment, System::nanoTime);
            }
            Path capture = settings.capture();
            return capture == null ? port : CapturingPort.wrap(port, capture);
        } catch (Throwable e) {
            port.close();
            throw e;
        }
    }

    /** A queue pair per shard, and on each what every shard has to see. A loop resolves no neighbours. */
    private static Port forShards(Port port, Settings settings) {
        if (port.queues() < settings.shards()) {
            return new DistributingPort(port, settings.shards(), settings.packets());
        }
        boolean spreads = settings.shards() > 1 && port.capabilities().rss();
        return spreads && port.mac() != 0 ? new NeighborSharingPort(port) : port;
    }

    private static Impairment impairment(Settings settings) throws LinkException {
        if (settings.impair().isEmpty()) {
            return Impairment.NONE;
        }
        try {
            return Impairment.parse(settings.impair());
        } catch (LinkException e) {
            throw new LinkException("impair=" + settings.impair() + ": " + withoutPrefix("impair: ", e), e);
        }
    }

    private static Port openLink(Settings settings) throws LinkException {
        List<LinkFactory> factories = factories();
        LinkFactory factory = factories.stream()
                .filter(candidate -> candidate.scheme().equals(settings.linkScheme()))
                .findFirst()
                .orElseThrow(() -> new LinkException("link=" + settings.link() + ": unknown kind of link; allowed: "
                        + factories.stream().map(LinkFactory::usage).collect(Collectors.joining(" | "))));
        LinkOptions options = new LinkOptions(
                settings.shards(), settings.mtu(), settings.mac(), settings.packets(), settings.dpdkArgs());
        try {
            return factory.open(settings.linkArgument(), options);
        } catch (LinkException e) {
            // backends begin with what was asked of them, in full or by scheme alone
            String message = withoutPrefix(settings.link() + ": ", e);
            throw new LinkException("link=" + settings.link() + ": " + message, e);
        }
    }

    private static String withoutPrefix(String prefix, LinkException e) {
        String message = String.valueOf(e.getMessage());
        return message.startsWith(prefix) ? message.substring(prefix.length()) : message;
    }
}
