package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.RunningProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every driver that runs by itself, with one shard and with two, under applications that select and applications that block. */
@RequiresLab
class DriversIT {
    static List<Arguments> combinations() {
        List<Arguments> all = new ArrayList<>();
        for (String driver : List.of("inline", "caretaker", "dedicated")) {
            for (int shards = 1; shards <= 2; shards++) {
                for (String application : List.of("netty", "platform", "virtual")) {
                    all.add(Arguments.of(driver, shards, application));
                }
            }
        }
        return all;
    }

    @ParameterizedTest(name = "driver={0} shards={1} {2}")
    @Timeout(100)
    @MethodSource("combinations")
    void serve(String driver, int shards, String application) throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = Wire.Kind.TAP.connect(lab);
            Path report = lab.folder().resolve("report");
            String settings = wire.settings() + ";driver=" + driver + ";shards=" + shards + ";report=" + report;
            RunningProcess server = application.equals("netty")
                    ? Applications.serve(wire.host(), settings, Applications.NETTY)
                    : Applications.serve(wire.host(), settings, Applications.BLOCKING, "--thread", application);
            KernelClients clients = new KernelClients(wire.peer(), lab.folder());
            clients.load(Wire.HOST4, 64, 3000, true, "/bytes/1000");
            clients.load(Wire.HOST6, 16, 1000, false, "/");
            clients.download(Wire.HOST4, 50_000_000);
            clients.upload(Wire.HOST4, 50_000_000);
            EndReport end = EndReport.of(server, report).routed("listen", "both");
            assertEquals(0, end.counter("CORE_INVARIANT_BROKEN"), end.text());
        }
    }
}
