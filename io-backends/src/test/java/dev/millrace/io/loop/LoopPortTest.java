package dev.millrace.io.loop;

import dev.millrace.io.contract.PortContractTest;
import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.contract.Rig;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.util.List;

/** The contract on a loop with one queue, where every frame comes back to its sender. */
class LoopPortTest extends PortContractTest {
    @Override
    protected Rig open() throws LinkException {
        Port port = new LoopLinkFactory().open("", new LinkOptions(1, 0, 0, 512, List.of()));
        return new Rig(port, new PortPeer(port, 0), true, 512, () -> {});
    }
}
