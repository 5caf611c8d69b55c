package dev.millrace.provider.nio;

/**
 * Of what the roles of a channel share, the part that closing is about: who is inside. Everything is guarded by this object's monitor, which
 * is never held while waiting.
 */
abstract class ChannelState {
    /** A blocking-mode operation is in progress that close leaves the rest to. */
    private boolean inputInProgress;

    private boolean outputInProgress;

    /** A blocking-mode operation of this side has begun, or ended. Holding the monitor. */
    final void inProgress(Side side, boolean running) {
        if (side == Side.INPUT) {
            inputInProgress = running;
        } else {
            outputInProgress = running;
        }
    }

    /** Holding the monitor. */
    final boolean isInProgress() {
        return inputInProgress || outputInProgress;
    }

    /** Whether the channel is closing and the caller is the one who has to give everything up: true once. Holding the monitor. */
    abstract boolean isLastToLeave();
}
