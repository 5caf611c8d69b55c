package dev.millrace.io.tap;

import dev.millrace.io.posix.InterfaceRequest;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkFactory;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.util.regex.Pattern;

/** Opens {@code link=tap:<interface>}. */
public final class TapLinkFactory implements LinkFactory {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.@-]{1," + InterfaceRequest.MAX_NAME_BYTES + "}");

    @Override
    public String scheme() {
        return "tap";
    }

    @Override
    public String usage() {
        return "tap:<interface>";
    }

    @Override
    public Port open(String argument, LinkOptions options) throws LinkException {
        if (!NAME.matcher(argument).matches() || argument.equals(".") || argument.equals("..")) {
            throw new LinkException("tap:" + argument + ": not an interface name: 1 to "
                    + InterfaceRequest.MAX_NAME_BYTES + " letters, digits or any of _.@-, for example tap:mill0");
        }
        return TapPort.open(argument, options);
    }
}
