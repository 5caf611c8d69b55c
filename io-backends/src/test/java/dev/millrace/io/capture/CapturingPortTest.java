package dev.millrace.io.capture;

import dev.millrace.io.contract.PortContractTest;
import dev.millrace.io.contract.PortPeer;
import dev.millrace.io.contract.Rig;
import dev.millrace.io.loop.LoopLinkFactory;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** The contract on a loop that is captured. */
class CapturingPortTest extends PortContractTest {
    @TempDir
    private Path directory;

    @Override
    protected Rig open() throws LinkException {
        Port loop = new LoopLinkFactory().open("", new LinkOptions(1, 1500, 0, 512, List.of()));
        Port port = CapturingPort.wrap(loop, directory.resolve("capture.pcapng"));
        return new Rig(port, new PortPeer(port, 0), true, 512, () -> {});
    }
}
