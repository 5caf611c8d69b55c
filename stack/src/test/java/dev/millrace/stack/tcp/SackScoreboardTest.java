package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SackScoreboardTest {
    private static final int MSS = 100;

    private final SackScoreboard board = new SackScoreboard();

    private long sack(long from, long to, long una, long nxt) {
        return board.update(new long[] {from}, new long[] {to}, 1, una, nxt);
    }

    @ParameterizedTest
    @CsvSource({
        "500, 500", // empty
        "600, 500", // reversed
        "100, 200", // below SND.UNA: a D-SACK report
        "900, 1001", // beyond SND.NXT
        "1000, 1100",
        "9223372036854775807, -9223372036854775808"
    })
    void aBlockOutsideTheFlightIsSkipped(long from, long to) {
        assertEquals(0, sack(from, to, 300, 1000));
        assertTrue(board.isEmpty());
    }

    @Test
    void aBlockThatBeginsBelowTheFlightCountsFromSndUna() {
        assertEquals(100, sack(200, 400, 300, 1000));
        assertTrue(board.reneged(300));
    }

    @Test
    void threeBlocksAboveMakeAByteLost() {
        sack(200, 210, 0, 2000);
        sack(400, 410, 0, 2000);
        assertEquals(0, board.lostBelow(0, MSS));
        sack(600, 610, 0, 2000);
        assertEquals(200, board.lostBelow(0, MSS));
        sack(800, 810, 0, 2000);
        assertEquals(400, board.lostBelow(0, MSS));
    }

    @Test
    void moreThanTwoSegmentsAboveMakeAByteLost() {
        sack(100, 300, 0, 2000);
        assertEquals(0, board.lostBelow(0, MSS), "exactly two segments are not enough");
        sack(300, 301, 0, 2000);
        assertEquals(100, board.lostBelow(0, MSS));
    }

    @Test
    void bytesBeyondTheBoundAreForgottenNotMisplaced() {
        for (int i = 0; i < 2 * SackScoreboard.MAX_INTERVALS; i++) {
            long expected = i < SackScoreboard.MAX_INTERVALS ? 1 : 0;
            assertEquals(expected, sack(10L * i + 5, 10L * i + 6, 0, 100_000));
        }
        assertEquals(SackScoreboard.MAX_INTERVALS, board.bytes());
    }

    /** IsLost(), as RFC 6675 §4 states it, byte by byte. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void agreesWithTheRfcsDefinitionByteByByte(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int nxt = 1_500;
        boolean[] sacked = new boolean[nxt];
        int una = 0;
        for (int step = 0; step < 150; step++) {
            int from = random.nextInt(una, nxt);
            int to = Math.min(nxt, from + 1 + random.nextInt(150));
            sack(from, to, una, nxt);
            Arrays.fill(sacked, from, to, true);
            if (random.nextInt(20) == 0) {
                una = Math.min(nxt - 1, una + random.nextInt(100));
                board.advance(una);
            }
            long edge = board.lostBelow(una, MSS);
            for (int position = una; position < nxt; position++) {
                if (!sacked[position]) {
                    assertEquals(isLost(sacked, position), position < edge, "seed " + seed + " byte " + position);
                    assertEquals(position, board.nextHole(position));
                } else {
                    assertFalse(board.nextHole(position) == position);
                }
            }
        }
    }

    private static boolean isLost(boolean[] sacked, int position) {
        int blocks = 0;
        int bytes = 0;
        for (int i = position; i < sacked.length; i++) {
            if (sacked[i]) {
                bytes++;
                blocks += sacked[i - 1] ? 0 : 1;
            }
        }
        return blocks >= 3 || bytes > 2 * MSS;
    }
}
