package dev.millrace.io.dpdk;

import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkFactory;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;

/** Opens {@code link=dpdk:<device>}. */
public final class DpdkLinkFactory implements LinkFactory {
    @Override
    public String scheme() {
        return "dpdk";
    }

    @Override
    public String usage() {
        return "dpdk:<device>[,<key>=<value>...]";
    }

    @Override
    public Port open(String argument, LinkOptions options) throws LinkException {
        return DpdkPort.open(DeviceSpec.parse(argument), options);
    }
}
