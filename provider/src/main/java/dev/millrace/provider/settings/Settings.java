package dev.millrace.provider.settings;

import dev.millrace.provider.routing.RouteRules;
import dev.millrace.stack.core.StackConfig.Interface;
import dev.millrace.stack.tcp.CongestionAlgorithm;
import dev.millrace.stack.tcp.EcnMode;
import dev.millrace.stack.tcp.FastOpenMode;
import dev.millrace.stack.tcp.MtuProbing;
import dev.millrace.stack.wire.IpAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Everything a user can set, checked. Immutable. {@link Key} documents each; {@link SettingsSource} says where values come from.
 *
 * @param linkScheme what stands before the colon of {@code link}
 * @param linkArgument what stands behind it, or empty
 * @param mtu bytes, 0 for the link's own
 * @param hopLimit of what is sent, 0 for the usual
 * @param mac low 48 bits, 0 for the link's own
 * @param driver one of {@code Drivers.NAMES}
 * @param spinNs Long.MAX_VALUE for ever
 * @param cpus one per shard, or empty
 * @param routes null for routing by address
 * @param impair empty for none
 * @param memoryBytes per shard
 * @param connections per shard
 * @param congestion of every connection
 * @param ecn who asks for it
 * @param mtuProbing when TCP looks for the path's MTU without ICMP
 * @param fastOpen who sends and takes data with a SYN
 * @param packets per queue pair
 * @param drainNs how long the end of the JVM may take
 * @param report {@code stderr}, a file, or empty for none
 */
public record Settings(
        String linkScheme,
        String linkArgument,
        List<Interface> addresses,
        List<IpAddress> gateways,
        int mtu,
        int hopLimit,
        long mac,
        int shards,
        String driver,
        long spinNs,
        List<Integer> cpus,
        @Nullable RouteRules routes,
        @Nullable Path capture,
        String impair,
        List<String> dpdkArgs,
        long memoryBytes,
        int connections,
        CongestionAlgorithm congestion,
        EcnMode ecn,
        MtuProbing mtuProbing,
        FastOpenMode fastOpen,
        int packets,
        long drainNs,
        String report,
        OnFailure onFailure,
        boolean quiet) {

    public static final String LOOP = "loop";

    public Settings {
        addresses = List.copyOf(addresses);
        gateways = List.copyOf(gateways);
        cpus = List.copyOf(cpus);
        dpdkArgs = List.copyOf(dpdkArgs);
    }

    /** The {@code link} setting as it was written. */
    public String link() {
        return linkArgument.isEmpty() ? linkScheme : linkScheme + ":" + linkArgument;
    }

    /**
     * Checks every value.
     *
     * @throws SettingsException for the first that cannot be used
     */
    public static Settings of(SettingsSource source) throws SettingsException {
        return new SettingsParser(source).parse();
    }

    /** The refusal of {@code cpus}, for what only shows at start. */
    public SettingsException rejectCpus(String problem) {
        return SettingsException.of(
                Key.CPUS, cpus.stream().map(String::valueOf).collect(Collectors.joining(",")), problem);
    }

    /** The refusal of {@code report}. */
    public SettingsException rejectReport(IOException reason) {
        return SettingsException.of(Key.REPORT, report, "cannot be written (" + Values.reason(reason) + ")");
    }
}
