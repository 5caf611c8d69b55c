package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.RunningProcess;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A link that loses 1 % of all frames and reorders 2 %, both ways: slower, and not a byte different. */
@RequiresLab
@DisabledIfSystemProperty(named = "compat.oracle", matches = "true", disabledReason = "the kernel has no such setting")
class ImpairedLinkIT {
    @ParameterizedTest(name = "{0} on {1}, {2} bytes down, {3} up")
    @Timeout(400)
    @CsvSource({"netty, TAP, 1073741824, 100000000", "jetty, DPDK_AF_PACKET, 100000000, 1073741824"})
    void everyByteArrives(String application, Wire.Kind kind, long down, long up) throws Exception {
        try (Lab lab = new Lab()) {
            Wire wire = kind.connect(lab);
            RunningProcess server = Applications.serve(
                    wire.host(),
                    wire.settings() + ";impair=loss=1%,reorder=2%,seed=7",
                    application.equals("netty") ? Applications.NETTY : Applications.JETTY);
            KernelClients clients = new KernelClients(wire.peer(), lab.folder());
            clients.download(Wire.HOST4, down);
            clients.upload("[" + Wire.HOST6 + "]", up);
            clients.load(Wire.HOST4, 50, 2000, false, "/bytes/20000");
            assertFalse(server.output().contains("Exception"), server.output());
        }
    }
}
