package dev.millrace.compat.simulate;

/** Told of every frame of a world, and of what the line does to it. */
@FunctionalInterface
interface WireLog {
    /**
     * @param sinceNs since the world began
     * @param from station, −1 for one that nobody sees
     * @param fate what became of the frame, empty when nothing did
     */
    void onFrame(long sinceNs, int from, int to, byte[] frame, String fate);
}
