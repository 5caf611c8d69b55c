package dev.millrace.io.dpdk;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.millrace.io.contract.PortContractTest;
import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.contract.Rig;
import dev.millrace.stack.port.Port;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** The contract on a virtio-user device, the vhost-user back end being its peer. */
class DpdkVhostTest extends PortContractTest {
    @TempDir
    private Path directory;

    @Override
    protected Rig open() throws Exception {
        DpdkLab.assumeDpdk();
        Path socket = directory.resolve("vhost");
        Port vhost = DpdkLab.open("net_vhost0,iface=" + socket);
        Port virtio = DpdkLab.open("net_virtio_user0,path=" + socket);
        DpdkLab.untilUp(vhost);
        DpdkLab.untilUp(virtio);
        return new Rig(virtio, new PortPeer(vhost, 0), false, DpdkLab.PACKETS, vhost::close);
    }

    @Override
    protected void assertNothingIsLeft() {
        assertFalse(Files.exists(directory.resolve("vhost")), "the socket file is left");
        DpdkLab.assertNoRuntimeFiles();
    }
}
