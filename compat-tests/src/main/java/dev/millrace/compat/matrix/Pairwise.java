package dev.millrace.compat.matrix;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A small subset of cells in which every two values of different axes that can meet do so: most faults need no more than two conditions. Greedy: always the cell
 * that has most pairs not yet seen.
 */
final class Pairwise {
    private Pairwise() {}

    /** Two values, by axis. */
    private record Pair(int axis, String value, int otherAxis, String otherValue) {}

    static List<Cell> of(List<Cell> all) {
        Set<Pair> open = new HashSet<>();
        all.forEach(cell -> open.addAll(pairs(cell)));
        List<Cell> chosen = new ArrayList<>();
        while (!open.isEmpty()) {
            Cell best = all.getFirst();
            long most = 0;
            for (Cell cell : all) {
                long news = pairs(cell).stream().filter(open::contains).count();
                if (news > most) {
                    most = news;
                    best = cell;
                }
            }
            chosen.add(best);
            open.removeAll(pairs(best));
        }
        return chosen;
    }

    private static Set<Pair> pairs(Cell cell) {
        Set<Pair> pairs = new HashSet<>();
        for (int i = 0; i < cell.values().size(); i++) {
            for (int j = i + 1; j < cell.values().size(); j++) {
                pairs.add(new Pair(i, cell.values().get(i), j, cell.values().get(j)));
            }
        }
        return pairs;
    }
}
