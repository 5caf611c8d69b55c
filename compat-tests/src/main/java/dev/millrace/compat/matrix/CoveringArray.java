package dev.millrace.compat.matrix;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A small subset of cells in which every so many values of different axes that can meet do so, a covering array: most faults need no more than two
 * conditions, nearly all no more than three. Greedy: always the cell that has most combinations not yet seen.
 */
final class CoveringArray {
    private CoveringArray() {}

    /** Values of some axes: bit i of {@code axes} stands for the axis i. */
    private record Combination(int axes, List<String> values) {}

    /** @param strength how many values are to meet: 2 for pairs, 3 for triples */
    static List<Cell> of(List<Cell> all, int strength) {
        Set<Combination> open = new HashSet<>();
        all.forEach(cell -> open.addAll(combinations(cell, strength)));
        List<Cell> chosen = new ArrayList<>();
        while (!open.isEmpty()) {
            Cell best = all.getFirst();
            long most = 0;
            for (Cell cell : all) {
                long news = combinations(cell, strength).stream()
                        .filter(open::contains)
                        .count();
                if (news > most) {
                    most = news;
                    best = cell;
                }
            }
            chosen.add(best);
            open.removeAll(combinations(best, strength));
        }
        return chosen;
    }

    private static Set<Combination> combinations(Cell cell, int strength) {
        List<String> values = cell.values();
        Set<Combination> combinations = new HashSet<>();
        for (int axes = 0; axes < 1 << values.size(); axes++) {
            if (Integer.bitCount(axes) == strength) {
                combinations.add(new Combination(axes, valuesOf(values, axes)));
            }
        }
        return combinations;
    }

    private static List<String> valuesOf(List<String> values, int axes) {
        List<String> some = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            if ((axes & 1 << i) != 0) {
                some.add(values.get(i));
            }
        }
        return some;
    }
}
