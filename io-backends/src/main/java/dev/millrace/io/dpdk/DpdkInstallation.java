package dev.millrace.io.dpdk;

import dev.millrace.stack.port.LinkException;

/** What DPDK this machine has, for tools. */
public final class DpdkInstallation {
    private DpdkInstallation() {}

    /**
     * The version, as {@code rte_version()} says it.
     *
     * @throws LinkException when there is none, or one whose structures are not known; what to do is in the message
     */
    public static String version() throws LinkException {
        return DpdkLibrary.version(DpdkLibrary.load().symbols);
    }
}
