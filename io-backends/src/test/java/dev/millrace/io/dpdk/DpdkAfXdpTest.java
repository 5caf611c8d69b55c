package dev.millrace.io.dpdk;

import dev.millrace.io.contract.Lab;
import dev.millrace.io.contract.PacketSocketPeer;
import dev.millrace.io.contract.PortContractTest;
import dev.millrace.io.contract.Rig;
import dev.millrace.stack.port.Port;

/** The contract on net_af_xdp over a veth pair in a namespace of its own. */
class DpdkAfXdpTest extends PortContractTest {
    @Override
    protected Rig open() throws Exception {
        Lab.assumeRoot();
        DpdkLab.assumeDpdk();
        return Lab.inNewNamespace(() -> {
            Lab.run("ip", "link", "add", "milla", "type", "veth", "peer", "name", "millb");
            Lab.run("ip", "link", "set", "milla", "up");
            Lab.run("ip", "link", "set", "millb", "up");
            Port port = DpdkLab.open("net_af_xdp0,iface=milla");
            PacketSocketPeer peer = new PacketSocketPeer("millb");
            return new Rig(port, peer, false, DpdkLab.PACKETS, peer::close);
        });
    }

    @Override
    protected void assertNothingIsLeft() {
        DpdkLab.assertNoRuntimeFiles();
    }
}
