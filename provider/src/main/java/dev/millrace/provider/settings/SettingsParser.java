package dev.millrace.provider.settings;

import dev.millrace.provider.driver.Drivers;
import dev.millrace.provider.routing.RouteRules;
import dev.millrace.stack.core.StackConfig.Interface;
import dev.millrace.stack.tcp.CongestionAlgorithm;
import dev.millrace.stack.tcp.EcnMode;
import dev.millrace.stack.tcp.FastOpenMode;
import dev.millrace.stack.tcp.MtuProbing;
import dev.millrace.stack.wire.IpAddress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Turns written values into {@link Settings}, one key after the other, then checks what concerns several of them. */
final class SettingsParser {
    private static final int LEAST_MTU_V4 = 576; // RFC 1122 §3.3.3: every host takes datagrams of this size
    private static final int LEAST_MTU_V6 = 1280; // RFC 8200 §5
    private static final int MOST_MTU = 9216;

    private final SettingsSource source;

    SettingsParser(SettingsSource source) {
        this.source = source;
    }

    Settings parse() throws SettingsException {
        source.check();
        String link = source.value(Key.LINK);
        int colon = link.indexOf(':');
        String scheme = colon < 0 ? link : link.substring(0, colon);
        List<Interface> addresses = value(Key.ADDRESS, List.of(), SettingsParser::addresses);
        List<IpAddress> gateways = value(Key.GATEWAY, List.of(), text -> gateways(text, addresses));
        boolean v6 = addresses.stream().anyMatch(own -> !own.address().isV4());
        int mtu = value(Key.MTU, 0, text -> (int) Values.number(text, v6 ? LEAST_MTU_V6 : LEAST_MTU_V4, MOST_MTU));
        int shards = value(Key.SHARDS, 1, text -> (int) Values.number(text, 1, 64));
        if (scheme.isEmpty()) {
            throw SettingsException.of(Key.LINK, link, "names no kind of link");
        }
        if (!scheme.equals(Settings.LOOP) && addresses.isEmpty()) {
            throw SettingsException.of(Key.ADDRESS, "", "missing, and link=" + link + " needs own addresses");
        }
        return new Settings(
                scheme,
                colon < 0 ? "" : link.substring(colon + 1),
                addresses,
                gateways,
                mtu,
                value(Key.TTL, 0, text -> (int) Values.number(text, 1, 255)),
                value(Key.MAC, 0L, Values::mac),
                shards,
                value(Key.DRIVER, "", SettingsParser::driver),
                value(Key.SPIN, 0L, SettingsParser::spin),
                value(Key.CPUS, List.of(), text -> cpus(text, shards)),
                routes(),
                capture(),
                source.value(Key.IMPAIR),
                value(Key.DPDK_ARGS, List.of(), text -> List.of(text.split("\\s+", -1))),
                value(Key.MEMORY, 0L, text -> Values.size(text, 4L << 20, 1L << 40)),
                value(Key.CONNECTIONS, 0, text -> (int) Values.number(text, 1, 1 << 24)),
                value(Key.CONGESTION, CongestionAlgorithm.CUBIC, CongestionAlgorithm::of),
                value(Key.ECN, EcnMode.PASSIVE, EcnMode::of),
                value(Key.MTUPROBING, MtuProbing.BLACKHOLE, SettingsParser::mtuProbing),
                value(Key.FASTOPEN, FastOpenMode.CLIENT, FastOpenMode::of),
                value(Key.PACKETS, 0, text -> (int) Values.number(text, 512, 1 << 20)),
                value(Key.DRAIN, 0L, text -> TimeUnit.MILLISECONDS.toNanos(Values.number(text, 0, 60_000))),
                source.value(Key.REPORT),
                value(Key.ONFAILURE, OnFailure.STOP, SettingsParser::onFailure),
                value(Key.QUIET, false, SettingsParser::flag));
    }

    /** The parsed value, or {@code none} when the key has neither value nor default. */
    private <T> T value(Key key, T none, Function<String, T> parser) throws SettingsException {
        String text = source.value(key);
        if (text.isEmpty() && key.standard().isEmpty()) {
            return none;
        }
        try {
            return parser.apply(text);
        } catch (IllegalArgumentException e) {
            throw SettingsException.of(key, text, String.valueOf(e.getMessage()));
        }
    }

    private static List<Interface> addresses(String text) {
        List<Interface> addresses = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            Interface own = Values.cidr(part.strip());
            if (addresses.stream().anyMatch(other -> other.address().equals(own.address()))) {
                throw new IllegalArgumentException("\"" + part.strip() + "\" is named twice");
            }
            addresses.add(own);
        }
        return addresses;
    }

    private static List<IpAddress> gateways(String text, List<Interface> addresses) {
        List<IpAddress> gateways = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            IpAddress gateway = Values.address(part.strip());
            if (gateways.stream().anyMatch(other -> other.isV4() == gateway.isV4())) {
                throw new IllegalArgumentException("two gateways of one family");
            }
            if (addresses.stream().noneMatch(own -> own.contains(gateway))) {
                throw new IllegalArgumentException(gateway + " is in no prefix of address");
            }
            if (addresses.stream().anyMatch(own -> own.address().equals(gateway))) {
                throw new IllegalArgumentException(gateway + " is an own address");
            }
            gateways.add(gateway);
        }
        return gateways;
    }

    private static String driver(String text) {
        if (!Drivers.NAMES.contains(text)) {
            throw new IllegalArgumentException("unknown driver");
        }
        return text;
    }

    private static OnFailure onFailure(String text) {
        return Arrays.stream(OnFailure.values())
                .filter(kind -> kind.text().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown choice"));
    }

    private static MtuProbing mtuProbing(String text) {
        return switch (text) {
            case "off" -> MtuProbing.OFF;
            case "blackhole" -> MtuProbing.BLACKHOLE;
            case "on" -> MtuProbing.ON;
            default -> throw new IllegalArgumentException("unknown choice");
        };
    }

    private static long spin(String text) {
        return text.equals("forever")
                ? Long.MAX_VALUE
                : TimeUnit.MICROSECONDS.toNanos(Values.number(text, 0, 10_000_000));
    }

    private static List<Integer> cpus(String text, int shards) {
        List<Integer> cpus = Values.cpus(text);
        if (cpus.size() != shards) {
            throw new IllegalArgumentException(cpus.size() + " processors for shards=" + shards);
        }
        return cpus;
    }

    private @Nullable Path capture() throws SettingsException {
        String file = source.value(Key.CAPTURE);
        try {
            return file.isEmpty() ? null : Path.of(file);
        } catch (InvalidPathException e) {
            throw SettingsException.of(Key.CAPTURE, file, "not a file name");
        }
    }

    private static boolean flag(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("neither true nor false");
        };
    }

    private @Nullable RouteRules routes() throws SettingsException {
        String file = source.value(Key.ROUTES);
        if (file.isEmpty()) {
            return null;
        }
        try {
            return RouteRulesParser.parse(file, Files.readAllLines(Path.of(file), StandardCharsets.UTF_8));
        } catch (IOException | InvalidPathException e) {
            throw SettingsException.of(Key.ROUTES, file, "cannot be read (" + Values.reason(e) + ")");
        } catch (IllegalArgumentException e) {
            throw SettingsException.of(Key.ROUTES, file, String.valueOf(e.getMessage()));
        }
    }
}
