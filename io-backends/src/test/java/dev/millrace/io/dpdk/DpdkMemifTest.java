package dev.millrace.io.dpdk;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.millrace.io.contract.PortContractTest;
import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.contract.Rig;
import dev.millrace.stack.port.Port;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** The contract on one end of a memif, the other end being its peer. */
class DpdkMemifTest extends PortContractTest {
    @TempDir
    private Path directory;

    @Override
    protected Rig open() throws Exception {
        DpdkLab.assumeDpdk();
        Path socket = directory.resolve("memif");
        Port server = DpdkLab.open("net_memif0,role=server,socket-abstract=no,socket=" + socket);
        Port client = DpdkLab.open("net_memif1,role=client,socket-abstract=no,socket=" + socket);
        DpdkLab.untilUp(server);
        DpdkLab.untilUp(client);
        return new Rig(client, new PortPeer(server, 0), false, DpdkLab.PACKETS, server::close);
    }

    @Override
    protected void assertNothingIsLeft() {
        assertFalse(Files.exists(directory.resolve("memif")), "the socket file is left");
        DpdkLab.assertNoRuntimeFiles();
    }
}
