package dev.millrace.provider.nio;

import java.net.DatagramPacket;
import java.net.DatagramSocketImpl;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;

/**
 * Given to {@code java.net.DatagramSocket}'s constructor so that it never makes a kernel socket of its own. The adaptor overrides whatever
 * would use it, so getting here is a bug.
 */
@SuppressWarnings({"deprecation", "removal"}) // it must have every method of its base
final class NoDatagramSocketImpl extends DatagramSocketImpl {
    private static AssertionError unreachable() {
        return new AssertionError("a datagram socket adaptor has no socket of its own");
    }

    @Override
    protected void create() {
        throw unreachable();
    }

    @Override
    protected void bind(int port, InetAddress local) {
        throw unreachable();
    }

    @Override
    protected void send(DatagramPacket packet) {
        throw unreachable();
    }

    @Override
    protected int peek(InetAddress from) {
        throw unreachable();
    }

    @Override
    protected int peekData(DatagramPacket packet) {
        throw unreachable();
    }

    @Override
    protected void receive(DatagramPacket packet) {
        throw unreachable();
    }

    @Override
    @Deprecated
    protected void setTTL(byte ttl) {
        throw unreachable();
    }

    @Override
    @Deprecated
    protected byte getTTL() {
        throw unreachable();
    }

    @Override
    protected void setTimeToLive(int ttl) {
        throw unreachable();
    }

    @Override
    protected int getTimeToLive() {
        throw unreachable();
    }

    @Override
    protected void join(InetAddress group) {
        throw unreachable();
    }

    @Override
    protected void leave(InetAddress group) {
        throw unreachable();
    }

    @Override
    protected void joinGroup(SocketAddress group, NetworkInterface device) {
        throw unreachable();
    }

    @Override
    protected void leaveGroup(SocketAddress group, NetworkInterface device) {
        throw unreachable();
    }

    @Override
    protected void close() {
        throw unreachable();
    }

    @Override
    public void setOption(int id, Object value) {
        throw unreachable();
    }

    @Override
    public Object getOption(int id) {
        throw unreachable();
    }
}
