package dev.millrace.compat.datagram;

import dev.millrace.compat.app.Arguments;
import dev.millrace.compat.app.Site;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Set;

/**
 * A name server (RFC 1035) that has one address for every name that is asked for: {@code TinyNameServer --address HOST --port 53 --answer
 * 198.18.7.7}. On sockets of the kernel.
 */
public final class TinyNameServer {
    private static final int ROOM = 512;
    private static final int HEADER_BYTES = 12;
    /** Response, authoritative, recursion desired and available, no error. */
    private static final short ANSWER = (short) 0x8580;

    private static final short TYPE_A = 1;
    private static final short CLASS_IN = 1;
    private static final short NAME_OF_QUESTION = (short) 0xc00c;
    private static final int TTL_SECONDS = 60;

    private TinyNameServer() {}

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args, Set.of("address", "port", "answer"));
        InetSocketAddress address =
                new InetSocketAddress(arguments.text("address", "127.0.0.1"), arguments.number("port", 53));
        byte[] answer =
                InetAddress.ofLiteral(arguments.text("answer", "198.18.7.7")).getAddress();
        try (DatagramSocket socket = new DatagramSocket(address)) {
            Site.announce("name server", socket.getLocalSocketAddress());
            DatagramPacket packet = new DatagramPacket(new byte[ROOM], ROOM);
            while (true) {
                packet.setLength(ROOM);
                socket.receive(packet);
                byte[] response = answer(ByteBuffer.wrap(packet.getData(), 0, packet.getLength()), answer);
                socket.send(new DatagramPacket(response, response.length, packet.getSocketAddress()));
            }
        }
    }

    private static byte[] answer(ByteBuffer query, byte[] address) {
        int end = HEADER_BYTES;
        while (query.get(end) != 0) {
            end += 1 + query.get(end);
        }
        end += 1 + 2 * Short.BYTES; // the root's empty label, type, class
        boolean known = query.getShort(end - 2 * Short.BYTES) == TYPE_A;
        ByteBuffer response = ByteBuffer.allocate(ROOM);
        response.putShort(query.getShort(0)).putShort(ANSWER);
        response.putShort((short) 1).putShort((short) (known ? 1 : 0)).putInt(0);
        response.put(query.slice(HEADER_BYTES, end - HEADER_BYTES));
        if (known) {
            response.putShort(NAME_OF_QUESTION).putShort(TYPE_A).putShort(CLASS_IN);
            response.putInt(TTL_SECONDS).putShort((short) address.length).put(address);
        }
        byte[] bytes = new byte[response.flip().remaining()];
        response.get(bytes);
        return bytes;
    }
}
