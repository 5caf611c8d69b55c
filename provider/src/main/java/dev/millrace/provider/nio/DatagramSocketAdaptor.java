package dev.millrace.provider.nio;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketOption;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.IllegalBlockingModeException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A channel seen as a {@link DatagramSocket}. Every method that could touch a socket goes to the channel. Any thread. */
final class DatagramSocketAdaptor extends DatagramSocket {
    private final StackDatagramChannel channel;
    /** That of the kernel's channel behind it: for groups, and for everything once the kernel has it all. */
    private final DatagramSocket kernel;

    private final PacketCapacities capacities = new PacketCapacities();
    private final AdaptedOptions options;

    DatagramSocketAdaptor(StackDatagramChannel channel, DatagramSocket kernel) {
        super(new NoDatagramSocketImpl());
        this.channel = channel;
        this.options = new AdaptedOptions(channel);
        this.kernel = kernel;
    }

    // ---- binding and connecting ----

    @Override
    public void bind(@Nullable SocketAddress local) throws SocketException {
        try {
            channel.bind(local == null ? new InetSocketAddress(0) : inet(local));
        } catch (IOException | RuntimeException e) {
            throw SocketErrors.asSocketException(e);
        }
    }

    @Override
    public void connect(InetAddress address, int port) {
        if (address == null) {
            throw new IllegalArgumentException("Address can't be null");
        }
        try {
            connectAgain(new InetSocketAddress(address, port));
        } catch (SocketException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void connect(SocketAddress remote) throws SocketException {
        if (remote == null) {
            throw new IllegalArgumentException("Address can't be null");
        }
        connectAgain(inet(remote));
    }

    private static InetSocketAddress inet(SocketAddress address) {
        if (address instanceof InetSocketAddress inet) {
            return inet;
        }
        throw new IllegalArgumentException("Unsupported address type");
    }

    private void connectAgain(InetSocketAddress remote) throws SocketException {
        if (!channel.isOpen()) {
            return; // as the JDK's
        }
        try {
            channel.connect(remote, false);
        } catch (IOException | RuntimeException e) {
            throw SocketErrors.asSocketException(e);
        }
    }

    @Override
    public void disconnect() {
        try {
            channel.disconnect();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean isBound() {
        return channel.localAddress() != null;
    }

    @Override
    public boolean isConnected() {
        return channel.remoteAddress() != null;
    }

    @Override
    public @Nullable InetAddress getInetAddress() {
        InetSocketAddress remote = channel.remoteAddress();
        return remote == null ? null : remote.getAddress();
    }

    @Override
    public int getPort() {
        InetSocketAddress remote = channel.remoteAddress();
        return remote == null ? -1 : remote.getPort();
    }

    @Override
    public @Nullable SocketAddress getRemoteSocketAddress() {
        return channel.remoteAddress();
    }

    @Override
    public @Nullable SocketAddress getLocalSocketAddress() {
        return isClosed() ? null : channel.localAddress();
    }

    @Override
    public @Nullable InetAddress getLocalAddress() {
        if (isClosed()) {
            return null;
        }
        InetSocketAddress local = channel.localAddress();
        return local == null ? new InetSocketAddress(0).getAddress() : local.getAddress();
    }

    @Override
    public int getLocalPort() {
        if (isClosed()) {
            return -1;
        }
        InetSocketAddress local = channel.localAddress();
        return local == null ? 0 : local.getPort();
    }

    @Override
    public DatagramChannel getChannel() {
        return channel;
    }

    // ---- datagrams ----

    @Override
    public void send(DatagramPacket packet) throws IOException {
        try {
            synchronized (packet) {
                if (!channel.isOpen()) {
                    throw new ClosedChannelException();
                }
                checkBlocking();
                ByteBuffer source = ByteBuffer.wrap(packet.getData(), packet.getOffset(), packet.getLength());
                channel.send(source, target(packet));
            }
        } catch (AlreadyConnectedException e) {
            throw new IllegalArgumentException("Connected and packet address differ", e);
        } catch (ClosedChannelException e) {
            throw new SocketException("Socket closed", e);
        }
    }

    /** To the peer, for a packet without an address, which is told so. */
    private SocketAddress target(DatagramPacket packet) {
        if (packet.getAddress() != null) {
            return packet.getSocketAddress();
        }
        InetSocketAddress remote = channel.remoteAddress();
        if (remote == null) {
            throw new IllegalArgumentException("Address not set");
        }
        packet.setAddress(remote.getAddress());
        packet.setPort(remote.getPort());
        return remote;
    }

    private void checkBlocking() {
        if (!channel.isBlocking()) {
            throw new IllegalBlockingModeException();
        }
    }

    @Override
    public void receive(DatagramPacket packet) throws IOException {
        try {
            synchronized (packet) {
                receiveInto(packet);
            }
        } catch (SocketTimeoutException | ClosedByInterruptException e) {
            throw e;
        } catch (ClosedChannelException e) {
            throw new SocketException("Socket closed", e);
        }
    }

    private void receiveInto(DatagramPacket packet) throws IOException {
        if (!channel.isOpen()) {
            throw new ClosedChannelException();
        }
        checkBlocking();
        if (channel.delegate() != null) {
            receiveFromKernel(packet);
            return;
        }
        int room = capacities.of(packet);
        ByteBuffer target = ByteBuffer.wrap(packet.getData(), packet.getOffset(), room);
        int timeout = options.timeoutMs();
        long timeoutNs = timeout == 0 ? DatagramInput.NO_TIMEOUT : timeout * 1_000_000L;
        SocketAddress sender = channel.receive(target, timeoutNs);
        if (sender == null) {
            throw new IllegalBlockingModeException(); // since the look above
        }
        capacities.received(packet, target.position() - packet.getOffset(), room);
        packet.setSocketAddress(sender);
    }

    private void receiveFromKernel(DatagramPacket packet) throws IOException {
        kernel.setSoTimeout(options.timeoutMs());
        try {
            kernel.receive(packet);
        } finally {
            if (kernel.isClosed()) {
                channel.close();
            }
        }
    }

    // ---- groups ----

    @Override
    public void joinGroup(SocketAddress group, NetworkInterface device) throws IOException {
        kernel.joinGroup(group, device);
    }

    @Override
    public void leaveGroup(SocketAddress group, NetworkInterface device) throws IOException {
        kernel.leaveGroup(group, device);
    }

    // ---- options ----

    @Override
    public void setSoTimeout(int milliseconds) throws SocketException {
        options.setTimeoutMs(milliseconds);
    }

    @Override
    public int getSoTimeout() throws SocketException {
        return options.getTimeoutMs();
    }

    @Override
    public void setSendBufferSize(int bytes) throws SocketException {
        options.setSendBufferSize(bytes);
    }

    @Override
    public int getSendBufferSize() throws SocketException {
        return options.get(StandardSocketOptions.SO_SNDBUF);
    }

    @Override
    public void setReceiveBufferSize(int bytes) throws SocketException {
        options.setReceiveBufferSize(bytes);
    }

    @Override
    public int getReceiveBufferSize() throws SocketException {
        return options.get(StandardSocketOptions.SO_RCVBUF);
    }

    @Override
    public void setReuseAddress(boolean on) throws SocketException {
        options.set(StandardSocketOptions.SO_REUSEADDR, on);
    }

    @Override
    public boolean getReuseAddress() throws SocketException {
        return options.get(StandardSocketOptions.SO_REUSEADDR);
    }

    @Override
    public void setBroadcast(boolean on) throws SocketException {
        options.set(StandardSocketOptions.SO_BROADCAST, on);
    }

    @Override
    public boolean getBroadcast() throws SocketException {
        return options.get(StandardSocketOptions.SO_BROADCAST);
    }

    @Override
    public void setTrafficClass(int octet) throws SocketException {
        options.set(StandardSocketOptions.IP_TOS, octet);
    }

    @Override
    public int getTrafficClass() throws SocketException {
        return options.get(StandardSocketOptions.IP_TOS);
    }

    @Override
    public <T> DatagramSocket setOption(SocketOption<T> name, T value) throws IOException {
        channel.setOption(name, value);
        return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
        return channel.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
        return channel.supportedOptions();
    }

    // ---- life cycle ----

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean isClosed() {
        return !channel.isOpen();
    }
}
