package dev.millrace.compat.simulate;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Questions and answers by datagram: the client repeats each question until its answer arrives, as with DNS; every datagram says what it is,
 * and its bytes follow from that.
 *
 * @param port that the server's host answers on
 * @param connected the client connects its socket
 * @param whole the client forbids fragments, and asks less where the path asks for that
 */
record Inquiry(
        int number,
        int clientHost,
        int serverHost,
        boolean v4,
        int port,
        long startNs,
        int questions,
        int questionBytes,
        int answerBytes,
        boolean connected,
        boolean whole) {

    /** What each datagram begins with: inquiry, number of the question, which of both it is, its length. */
    static final int HEADER_BYTES = 16;

    static final int PORT = 53;
    private static final int MOST_BYTES = 8_000;
    private static final int SMALL_BYTES = 1_200;
    private static final int QUESTION = 1;
    private static final int ANSWER = 2;

    static Inquiry draw(SplittableRandom random, int number, List<HostPlan> hosts, long startNs) {
        int client = random.nextInt(hosts.size());
        int server = random.nextInt(hosts.size());
        // on one segment a host does not learn that another's card takes less: only TCP has an MSS option
        boolean alike = hosts.get(client).mtu() == hosts.get(server).mtu();
        int most = alike ? MOST_BYTES : SMALL_BYTES;
        return new Inquiry(
                number,
                client,
                server,
                random.nextBoolean(),
                PORT,
                startNs,
                1 + random.nextInt(20),
                length(random, most),
                length(random, most),
                random.nextBoolean(),
                random.nextInt(3) == 0);
    }

    private static int length(SplittableRandom random, int most) {
        return Math.min(most, HEADER_BYTES + random.nextInt(1 << random.nextInt(14)));
    }

    /** Writes question or answer number {@code index} of that length into the buffer's beginning. */
    void write(ByteBuffer into, boolean question, int index, int length) {
        into.putInt(0, number)
                .putInt(4, index)
                .putInt(8, question ? QUESTION : ANSWER)
                .putInt(12, length);
        for (int i = HEADER_BYTES; i < length; i++) {
            into.put(i, byteAt(question, index, i));
        }
    }

    /** Whether the buffer begins with question or answer {@code index} of that length, every byte of it. */
    boolean isWhole(ByteBuffer from, boolean question, int index, int length) {
        boolean right = from.getInt(8) == (question ? QUESTION : ANSWER) && from.getInt(12) == length;
        for (int i = HEADER_BYTES; i < length && right; i++) {
            right = from.get(i) == byteAt(question, index, i);
        }
        return right;
    }

    private byte byteAt(boolean question, int index, int position) {
        int mixed = (position * 31 + index) * 0x9e37_79b9 + number * 0x85eb_ca6b + (question ? 1 : 0);
        return (byte) (mixed >>> 24 ^ mixed >>> 11);
    }
}
