package dev.millrace.provider;

import dev.millrace.provider.settings.Settings;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkFactory;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
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

    /** Opens the link with at least one queue pair; nothing is left behind when it fails. */
    static Port open(Settings settings) throws LinkException {
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
            // backends begin with what they call themselves, "tap:m0: …"
            String message = String.valueOf(e.getMessage());
            boolean named = message.startsWith(settings.linkScheme() + ":");
            throw new LinkException("link=" + (named ? "" : settings.link() + ": ") + message, e);
        }
    }
}
