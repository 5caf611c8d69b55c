package dev.millrace.stack.tcp;

/**
 * SipHash (Aumasson and Bernstein, 2012) over up to five 64-bit words: a short keyed function whose output tells nothing about
 * the key, so that a peer can neither choose addresses and ports that collide in a table nor predict what is derived from
 * them. Equal to the byte-wise definition for messages of {@code 8 × words} bytes. Stateless; any thread; allocates nothing.
 */
final class SipHash {
    private SipHash() {}

    /**
     * SipHash-{@code perWord}-{@code atEnd}: 1-3 where only collisions matter (hash tables), 2-4 where the value itself leaves the machine.
     *
     * @param words how many of {@code w0…w4} count
     */
    static long hash(
            long key0, long key1, int perWord, int atEnd, int words, long w0, long w1, long w2, long w3, long w4) {
        long v0 = key0 ^ 0x736f6d6570736575L;
        long v1 = key1 ^ 0x646f72616e646f6dL;
        long v2 = key0 ^ 0x6c7967656e657261L;
        long v3 = key1 ^ 0x7465646279746573L;
        for (int i = 0; i <= words + 1; i++) {
            long word = 0; // in the last step, which only mixes
            int rounds = perWord;
            if (i < words) {
                word = switch (i) {
                    case 0 -> w0;
                    case 1 -> w1;
                    case 2 -> w2;
                    case 3 -> w3;
                    default -> w4;
                };
            } else if (i == words) {
                word = (long) words << 59; // the length in bytes, modulo 256, in the last byte
            } else {
                v2 ^= 0xff;
                rounds = atEnd;
            }
            v3 ^= word;
            for (int round = 0; round < rounds; round++) {
                v0 += v1;
                v2 += v3;
                v1 = Long.rotateLeft(v1, 13) ^ v0;
                v3 = Long.rotateLeft(v3, 16) ^ v2;
                v0 = Long.rotateLeft(v0, 32) + v3;
                v2 += v1;
                v3 = Long.rotateLeft(v3, 21) ^ v0;
                v1 = Long.rotateLeft(v1, 17) ^ v2;
                v2 = Long.rotateLeft(v2, 32);
            }
            v0 ^= word;
        }
        return v0 ^ v1 ^ v2 ^ v3;
    }
}
