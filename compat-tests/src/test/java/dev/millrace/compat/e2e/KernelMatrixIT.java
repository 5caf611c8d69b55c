package dev.millrace.compat.e2e;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.compat.matrix.Cell;
import dev.millrace.compat.matrix.CellRun;
import dev.millrace.compat.matrix.Matrix;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/**
 * Millrace against the kernel over links of every kind: the subset of the matrix in which every pair of properties occurs, with few bytes. {@code ./millrace matrix --cells
 * full} runs all of it, with 64 MiB each way and 5,000 connections in each cell.
 */
@RequiresLab
@DisabledIfSystemProperty(named = "compat.oracle", matches = "true", disabledReason = "the kernel has no such setting")
class KernelMatrixIT {
    @TestFactory
    Stream<DynamicTest> everyByteArrivesInEveryCell() {
        return Matrix.pairwise().stream().map(cell -> DynamicTest.dynamicTest(cell.toString(), () -> check(cell)));
    }

    private static void check(Cell cell) {
        CellRun.Outcome outcome = new CellRun(Applications.application(), CellRun.Amount.small(cell)).run(cell);
        assertTrue(outcome.passed(), "./millrace matrix --cells " + cell + "\n" + outcome.text());
    }
}
