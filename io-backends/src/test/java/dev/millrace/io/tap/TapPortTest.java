package dev.millrace.io.tap;

import dev.millrace.io.contract.Lab;
import dev.millrace.io.contract.PacketSocketPeer;
import dev.millrace.io.contract.PortContractTest;
import dev.millrace.io.contract.Rig;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.util.List;

/** The contract on a kernel tap interface; the other end is a packet socket on it. */
class TapPortTest extends PortContractTest {
    private static final String NAME = "millio0";

    @Override
    protected Rig open() throws Exception {
        Lab.assumeRoot();
        return Lab.inNewNamespace(() -> {
            Port port = new TapLinkFactory().open(NAME, new LinkOptions(1, 0, 0, 512, List.of()));
            PacketSocketPeer peer = new PacketSocketPeer(NAME);
            return new Rig(port, peer, false, 512, peer::close);
        });
    }
}
