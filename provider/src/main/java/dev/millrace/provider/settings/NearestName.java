package dev.millrace.provider.settings;

import java.util.Collection;
import java.util.Locale;

/** The known name that a misspelt one probably stands for. */
final class NearestName {
    private NearestName() {}

    /** The name with the smallest edit distance to {@code wrong}, or empty when none is near: more than a third of it would change. */
    static String of(String wrong, Collection<String> names) {
        String lower = wrong.toLowerCase(Locale.ROOT);
        int best = Math.max(1, Math.min(lower.length(), 64) / 3) + 1;
        String nearest = "";
        if (lower.length() > 64) {
            return nearest;
        }
        for (String name : names) {
            int distance = distance(lower, name);
            if (distance < best) {
                best = distance;
                nearest = name;
            }
        }
        return nearest;
    }

    /** Insertions, deletions, replacements and swaps of neighbours that lead from one to the other (optimal string alignment). */
    static int distance(String from, String to) {
        int[][] cost = new int[from.length() + 1][to.length() + 1];
        for (int i = 0; i <= from.length(); i++) {
            for (int j = 0; j <= to.length(); j++) {
                if (i == 0 || j == 0) {
                    cost[i][j] = i + j;
                    continue;
                }
                int replace = cost[i - 1][j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                cost[i][j] = Math.min(replace, Math.min(cost[i - 1][j], cost[i][j - 1]) + 1);
                if (i > 1
                        && j > 1
                        && from.charAt(i - 1) == to.charAt(j - 2)
                        && from.charAt(i - 2) == to.charAt(j - 1)) {
                    cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
                }
            }
        }
        return cost[from.length()][to.length()];
    }
}
