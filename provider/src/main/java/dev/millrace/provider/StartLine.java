package dev.millrace.provider;

import dev.millrace.provider.settings.Settings;
import dev.millrace.stack.core.StackConfig.Interface;
import java.util.stream.Collectors;

/** The one line that says what runs, and for which sockets. */
final class StartLine {
    private StartLine() {}

    static String of(Settings settings, Runtime runtime) {
        String addresses = settings.addresses().stream()
                .map(StartLine::text)
                .collect(Collectors.joining(", ", settings.addresses().isEmpty() ? "" : " as ", ""));
        int shards = runtime.stack().shards();
        return Version.text() + " on link " + settings.link() + addresses + ", driver " + settings.driver() + ", "
                + shards + (shards == 1 ? " shard" : " shards")
                + "; on the stack: SocketChannel, ServerSocketChannel, DatagramChannel; on the kernel: java.net.Socket,"
                + " ServerSocket and DatagramSocket, AsynchronousSocketChannel, Pipe, UNIX domain sockets, native transports"
                + (runtime.hasKernel() ? "" : "; no kernel sockets, they need the JVM flag " + Runtime.KERNEL_FLAG);
    }

    private static String text(Interface own) {
        return own.address() + "/" + own.prefixLength();
    }
}
