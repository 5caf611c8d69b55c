package dev.millrace.compat.packetdrill;

/** What a script's file descriptor stands for. */
interface Descriptor {
    // of poll(2); POLLIN comes with POLLRDNORM, POLLOUT with POLLWRNORM
    long IN = 0x41;
    long OUT = 0x104;
    long ERR = 0x8;
    long HUP = 0x10;
    long RDHUP = 0x2000;

    /** What is ready now. */
    long pollMask();

    /** Grows whenever something may have become ready, for edge-triggered waiting. */
    long changes();
}
