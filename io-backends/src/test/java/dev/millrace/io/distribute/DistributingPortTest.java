package dev.millrace.io.distribute;

import dev.millrace.io.contract.PortContractTest;
import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.contract.Rig;
import dev.millrace.io.loop.LoopLinkFactory;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.util.List;

/** The contract on the first of two shards, which gets all that is neither TCP nor UDP. */
class DistributingPortTest extends PortContractTest {
    @Override
    protected Rig open() throws LinkException {
        Port loop = new LoopLinkFactory().open("", new LinkOptions(1, 1500, 0, 512, List.of()));
        Port port = new DistributingPort(loop, 2, 512);
        return new Rig(port, new PortPeer(port, 0), true, 512, () -> {});
    }
}
