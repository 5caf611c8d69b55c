package dev.millrace.io.loop;

import dev.millrace.io.sleep.ParkingSleeper;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkFactory;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.LoopPort;
import dev.millrace.stack.port.Port;

/** Opens {@code link=loop}: no device, no privilege; threads sleep parked. */
public final class LoopLinkFactory implements LinkFactory {
    @Override
    public String scheme() {
        return "loop";
    }

    @Override
    public String usage() {
        return "loop";
    }

    @Override
    public Port open(String argument, LinkOptions options) throws LinkException {
        if (!argument.isEmpty()) {
            throw new LinkException("loop:" + argument + ": loop takes no argument: write link=loop");
        }
        if (options.queues() > LoopPort.MAX_QUEUES) {
            throw new LinkException(
                    "loop: " + options.queues() + " shards are too many: at most " + LoopPort.MAX_QUEUES);
        }
        int mtu = options.mtu() > 0 ? options.mtu() : LoopPort.DEFAULT_MTU;
        return new LoopPort("loop", options.queues(), mtu, options.packets(), queue -> new ParkingSleeper());
    }
}
