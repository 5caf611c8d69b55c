package dev.millrace.benchmarks.stress;

import java.util.ArrayList;
import java.util.List;
import org.openjdk.jcstress.Main;

/**
 * Runs the jcstress tests: {@code Stress quick} in about a minute, as the build does, with assertions; {@code Stress long} for half an
 * hour and more, in every combination of compilers. Further words go to jcstress ({@code -t Waiter -v}). Results are left in the
 * working directory; exits with a status other than 0 when a claim is refuted.
 */
public final class Stress {
    private static final String JVM = "-Xmx512m --enable-native-access=ALL-UNNAMED";

    private Stress() {}

    public static void main(String[] args) throws Exception {
        boolean quick = args.length > 0 && "quick".equals(args[0]);
        if (!quick && (args.length == 0 || !"long".equals(args[0]))) {
            throw new IllegalArgumentException("usage: Stress quick|long [jcstress options]");
        }
        List<String> options = new ArrayList<>(quick ? quick() : thorough());
        options.addAll(List.of(args).subList(1, args.length));
        Main.main(options.toArray(String[]::new));
    }

    /** Small strides: a state of these tests owns off-heap memory, so that thousands of them would measure the cache. */
    private static List<String> quick() {
        return List.of(
                "-time",
                "400",
                "-iters",
                "3",
                "-f",
                "1",
                "-sc",
                "false",
                "-af",
                "NONE",
                "-strideSize",
                "100",
                "-strideCount",
                "20",
                "-jvmArgs",
                JVM + " -ea");
    }

    private static List<String> thorough() {
        return List.of("-m", "default", "-strideSize", "100", "-strideCount", "20", "-jvmArgsPrepend", JVM);
    }
}
