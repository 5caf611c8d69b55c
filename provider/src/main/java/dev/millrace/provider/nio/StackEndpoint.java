package dev.millrace.provider.nio;

import java.nio.channels.SelectableChannel;
import org.jspecify.annotations.Nullable;

/** What a key and a selector need to know about a channel of ours. Any thread. */
sealed interface StackEndpoint permits StackSocketChannel, StackServerSocketChannel, StackDatagramChannel {
    /** Those of {@code interest} that the stack's side of the channel is ready for; never blocks. */
    int readyOps(int interest);

    Registrations registrations();

    /** The JDK channel that this one delegates to, or shares its listening with; null while there is none. */
    @Nullable
    SelectableChannel kernelChannel();

    /** What of {@code interest} that JDK channel is to be asked for. */
    default int kernelInterest(int interest) {
        return interest;
    }

    /** Whether the stack has, or may yet get, a part in this channel. */
    boolean mayUseStack();
}
