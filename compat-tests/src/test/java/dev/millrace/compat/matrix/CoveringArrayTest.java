package dev.millrace.compat.matrix;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The subsets of the matrix: of pairs, which is run each time, and of triples. */
class CoveringArrayTest {
    private static final int MOST_FOR_PAIRS = 60;
    private static final int MOST_FOR_TRIPLES = 300;

    private final List<Cell> all = Cell.all();

    @Test
    void everyTwoPropertiesThatCanMeetDo() {
        List<Cell> chosen = CoveringArray.of(all, 2);
        assertTrue(chosen.size() <= MOST_FOR_PAIRS, chosen.size() + " cells are too many to run each time");
        Set<String> met = new HashSet<>();
        chosen.forEach(cell -> met.addAll(triples(cell, true)));
        all.forEach(cell -> triples(cell, true).forEach(pair -> assertTrue(met.contains(pair), "nowhere: " + pair)));
    }

    @Test
    void everyThreePropertiesThatCanMeetDo() {
        List<Cell> chosen = CoveringArray.of(all, 3);
        assertTrue(chosen.size() <= MOST_FOR_TRIPLES, chosen.size() + " cells are no small subset");
        Set<String> met = new HashSet<>();
        chosen.forEach(cell -> met.addAll(triples(cell, false)));
        all.forEach(
                cell -> triples(cell, false).forEach(triple -> assertTrue(met.contains(triple), "nowhere: " + triple)));
    }

    /** Of three axes each, or, when {@code pairs}, of two and the first of them once more. */
    private static Set<String> triples(Cell cell, boolean pairs) {
        List<String> values = cell.values();
        Set<String> met = new HashSet<>();
        for (int i = 0; i < values.size(); i++) {
            for (int j = i + 1; j < values.size(); j++) {
                for (int k = pairs ? i : j + 1; k < (pairs ? i + 1 : values.size()); k++) {
                    met.add(i + values.get(i) + " " + j + values.get(j) + " " + k + values.get(k));
                }
            }
        }
        return met;
    }
}
