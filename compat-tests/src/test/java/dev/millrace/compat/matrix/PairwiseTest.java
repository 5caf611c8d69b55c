package dev.millrace.compat.matrix;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** The subset of the matrix that is run each time. */
class PairwiseTest {
    private static final int MOST = 60;

    @Test
    void everyTwoPropertiesThatCanMeetDo() {
        List<Cell> all = Cell.all();
        List<Cell> chosen = Pairwise.of(all);
        assertTrue(chosen.size() <= MOST, chosen.size() + " cells are too many to run each time");
        for (Cell cell : all) {
            for (int i = 0; i < cell.values().size(); i++) {
                for (int j = i + 1; j < cell.values().size(); j++) {
                    assertTrue(
                            meet(chosen, cell, i, j),
                            "nowhere together: " + cell.values().get(i) + " and "
                                    + cell.values().get(j));
                }
            }
        }
    }

    private static boolean meet(List<Cell> cells, Cell wanted, int axis, int other) {
        return cells.stream()
                .anyMatch(cell -> cell.values().get(axis).equals(wanted.values().get(axis))
                        && cell.values().get(other).equals(wanted.values().get(other)));
    }
}
