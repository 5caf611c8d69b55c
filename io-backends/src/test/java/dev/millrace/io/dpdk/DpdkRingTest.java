package dev.millrace.io.dpdk;

import dev.millrace.io.contract.PortContractTest;
import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.contract.Rig;
import dev.millrace.stack.port.Port;

/** The contract on net_ring, which leads every frame back to its sender. */
class DpdkRingTest extends PortContractTest {
    @Override
    protected Rig open() throws Exception {
        DpdkLab.assumeDpdk();
        Port port = DpdkLab.open("net_ring0");
        return new Rig(port, new PortPeer(port, 0), true, DpdkLab.PACKETS, () -> {});
    }

    @Override
    protected void assertNothingIsLeft() {
        DpdkLab.assertNoRuntimeFiles();
    }
}
