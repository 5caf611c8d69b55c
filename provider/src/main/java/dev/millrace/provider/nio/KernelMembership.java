package dev.millrace.provider.nio;

import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.nio.channels.MembershipKey;
import java.nio.channels.MulticastChannel;
import org.jspecify.annotations.Nullable;

/**
 * A membership of the kernel's socket behind a channel, which names the channel that the application knows. As with the JDK's keys, to join
 * again what was joined gives an equal key. Any thread.
 */
final class KernelMembership extends MembershipKey {
    private final StackDatagramChannel channel;
    private final MembershipKey kernel;

    KernelMembership(StackDatagramChannel channel, MembershipKey kernel) {
        this.channel = channel;
        this.kernel = kernel;
    }

    @Override
    public boolean isValid() {
        return kernel.isValid();
    }

    @Override
    public void drop() {
        kernel.drop();
    }

    @Override
    public MembershipKey block(InetAddress source) throws IOException {
        kernel.block(source);
        return this;
    }

    @Override
    public MembershipKey unblock(InetAddress source) {
        kernel.unblock(source);
        return this;
    }

    @Override
    public MulticastChannel channel() {
        return channel;
    }

    @Override
    public InetAddress group() {
        return kernel.group();
    }

    @Override
    public NetworkInterface networkInterface() {
        return kernel.networkInterface();
    }

    @Override
    public @Nullable InetAddress sourceAddress() {
        return kernel.sourceAddress();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof KernelMembership membership && kernel.equals(membership.kernel);
    }

    @Override
    public int hashCode() {
        return kernel.hashCode();
    }

    @Override
    public String toString() {
        return kernel.toString();
    }
}
