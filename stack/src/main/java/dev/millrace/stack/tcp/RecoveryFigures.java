package dev.millrace.stack.tcp;

/** What loss recovery tells of itself, filled in when somebody asks ({@link LossRecovery#describe}). Core thread only. */
final class RecoveryFigures {
    static final int OPEN = 0;
    /** Something has arrived out of order, and nothing is deemed lost yet. */
    static final int DISORDER = 1;
    /** The window has been reduced because of ECN. */
    static final int REDUCED = 2;

    static final int FAST_RECOVERY = 3;
    static final int AFTER_TIMEOUT = 4;

    /** One of the above, Linux' TCP_CA_ states. */
    int state;

    /** To be filled in before: what ends up to here has been sent with the SYN before. */
    long synTextEnd;

    int inFlightSegments;
    int sackedSegments;
    int lostSegments;
    int retransmittedSegments;
    /** Segments that have arrived. */
    long deliveredSegments;
    /** Of these, acknowledged together with an echo of a congestion mark. */
    long deliveredMarkedSegments;
    /** Bytes per second, by the newest sample; 0 before one. */
    long deliveryRate;
    /** The application had too little to send while that sample was taken. */
    boolean rateAppLimited;
    /** D-SACK blocks received. */
    long duplicatesReported;
    /** How often segments arrived after one sent later. */
    long reorderings;
    /** How many segments, at most, have overtaken one of them; {@link Rack#DUP_THRESH} unless it was more. */
    int reorderingDegree = Rack.DUP_THRESH;
}
