package dev.millrace.io.distribute;

import dev.millrace.io.contract.PortContractTest;
import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.contract.Rig;
import dev.millrace.io.loop.LoopLinkFactory;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.util.List;

/** The contract on the first of two queues. */
class NeighborSharingPortTest extends PortContractTest {
    @Override
    protected Rig open() throws LinkException {
        Port loop = new LoopLinkFactory().open("", new LinkOptions(2, 1500, 0, 512, List.of()));
        Port port = new NeighborSharingPort(loop);
        return new Rig(port, new PortPeer(port, 0), true, 512, () -> {});
    }
}
