package dev.millrace.compat.packetdrill;

/** Whose behaviour the scripts' dialect takes for granted where an engine's choice shows on the wire. */
enum Personality {
    /** Google's net/tcp and the kernel's own scripts. */
    LINUX("4096 131072 6291456", "4096 16384 4194304", "cubic"),
    /** FreeBSD's tcp-testsuite: windows of 65535 scaled by 6 from a 2 MiB limit. */
    FREEBSD("4096 131072 2097152", "4096 65536 2097152", "newreno");

    /** Smallest, first and largest receive and send buffer, as Linux' sysctls write them. */
    final String receiveBuffers;

    final String sendBuffers;
    final String congestionControl;

    Personality(String receiveBuffers, String sendBuffers, String congestionControl) {
        this.receiveBuffers = receiveBuffers;
        this.sendBuffers = sendBuffers;
        this.congestionControl = congestionControl;
    }
}
