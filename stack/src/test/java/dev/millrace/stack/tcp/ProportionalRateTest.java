package dev.millrace.stack.tcp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.stack.Rule;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** RFC 9937 §6.2's arithmetic: a flight of ten segments is to become five. */
@Rule("tcp.md: Loss recovery")
class ProportionalRateTest {
    private static final int MSS = 1000;
    private static final long THRESHOLD = 5 * MSS;

    private final ProportionalRate reduction = new ProportionalRate();

    @BeforeEach
    void begin() {
        reduction.begin(10 * MSS, 9 * MSS, MSS);
    }

    private void delivered(long bytes, long pipe, boolean safe) {
        reduction.onAck(bytes, pipe, THRESHOLD, MSS, safe);
    }

    @Test
    void theFirstRetransmissionIsNeverHeldBack() {
        delivered(1, 8 * MSS, false);
        assertEquals(9 * MSS, reduction.windowBytes());
    }

    @Test
    void aboveTheThresholdTheProportionOfWhatArrivedLeaves() {
        reduction.onSent(MSS);
        delivered(4 * MSS, 6 * MSS, false);
        assertEquals(7 * MSS, reduction.windowBytes(), "half of four, one of which has left");
    }

    @Test
    void belowItNoMoreLeavesThanArrivedWhileMoreIsLost() {
        reduction.onSent(MSS);
        delivered(2 * MSS, 2 * MSS, false);
        assertEquals(4 * MSS, reduction.windowBytes());
    }

    @Test
    void belowItASegmentMoreLeavesWhileRetransmissionsGetThrough() {
        reduction.onSent(MSS);
        delivered(MSS, 2 * MSS, true);
        assertEquals(4 * MSS, reduction.windowBytes());
    }

    @Test
    void theThresholdIsNotExceeded() {
        reduction.onSent(MSS);
        delivered(9 * MSS, 4 * MSS, true);
        assertEquals(THRESHOLD, reduction.windowBytes());
    }

    @Test
    void theWindowIsNeverLessThanASegment() {
        reduction.onSent(6 * MSS);
        delivered(1, 0, false);
        assertEquals(MSS, reduction.windowBytes());
    }
}
