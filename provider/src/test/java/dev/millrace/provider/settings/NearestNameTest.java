package dev.millrace.provider.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearestNameTest {
    @Test
    void aSwapCountsAsOneEdit() {
        assertEquals(1, NearestName.distance("lnik", "link"));
    }

    @Test
    void distanceCountsInsertionsDeletionsAndReplacements() {
        assertEquals(0, NearestName.distance("link", "link"));
        assertEquals(1, NearestName.distance("lnk", "link"));
        assertEquals(1, NearestName.distance("linkk", "link"));
        assertEquals(1, NearestName.distance("lint", "link"));
        assertEquals(4, NearestName.distance("", "link"));
    }

    @Test
    void nothingIsProposedForWhatResemblesNothing() {
        assertEquals("", NearestName.of("frobnicate", List.of("link", "address")));
        assertEquals("", NearestName.of("x".repeat(1000), List.of("link")));
    }

    @Test
    void theNearestIsProposed() {
        assertEquals("spin", NearestName.of("spins", List.of("link", "spin", "cpus")));
        assertEquals("link", NearestName.of("LINK", List.of("link", "spin")));
    }
}
