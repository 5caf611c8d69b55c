package dev.millrace.io.impair;

import dev.millrace.io.contract.PortContractTest;
import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.contract.Rig;
import dev.millrace.io.loop.LoopLinkFactory;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.util.List;

/** The contract on a line with nothing but delay and a rate limit: late, but intact and in order. */
class ImpairedPortTest extends PortContractTest {
    @Override
    protected Rig open() throws LinkException {
        Port loop = new LoopLinkFactory().open("", new LinkOptions(1, 1500, 0, 512, List.of()));
        Port port = ImpairedPort.wrap(loop, "delay=50us,rate=2gbit,seed=9");
        return new Rig(port, new PortPeer(port, 0), true, 512, () -> {});
    }
}
