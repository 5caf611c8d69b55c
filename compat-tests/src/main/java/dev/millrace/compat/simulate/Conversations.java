package dev.millrace.compat.simulate;

import org.jspecify.annotations.Nullable;

/** Who talks to whom in a world, and how far they are. Called by the applications on its hosts. */
interface Conversations {
    /** The talk of that number, when it is one for this host and nobody serves it yet. */
    @Nullable
    Talk talk(int number, Host server);

    /** One side of a talk has begun. */
    void onParty(Party party, boolean client);

    /** A client could not open. */
    void onNeverStarted(Talk talk);

    /** An application will do nothing any more, for whatever reason. */
    void onOver(Application application);

    /** The inquiry of that number, or null. */
    @Nullable
    Inquiry inquiry(int number);

    void onAsker(Inquiry inquiry, Asker asker);

    /** Whether a host's connections are to be checked after this turn, of that number. */
    boolean checksAfter(long turn);
}
