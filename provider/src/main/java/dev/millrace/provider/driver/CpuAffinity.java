package dev.millrace.provider.driver;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Binds threads to CPUs with {@code sched_setaffinity(2)}. */
final class CpuAffinity {
    /** CPUs that the mask has room for; glibc's cpu_set_t. */
    static final int MAX_CPUS = 1024;

    /** {@code int sched_setaffinity(pid_t pid, size_t cpusetsize, const cpu_set_t *mask)} */
    private static final MethodHandle SCHED_SETAFFINITY = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("sched_setaffinity"),
                    FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));

    private CpuAffinity() {}

    /** @throws IllegalArgumentException when there is no such CPU, or this process may not use it */
    static void pinCurrentThread(int cpu) {
        if (cpu < 0 || cpu >= MAX_CPUS) {
            throw new IllegalArgumentException("cpu " + cpu + " is not between 0 and " + (MAX_CPUS - 1));
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(MAX_CPUS / 8, 8);
            mask.setAtIndex(JAVA_LONG, cpu >>> 6, 1L << (cpu & 63));
            int result = (int) SCHED_SETAFFINITY.invokeExact(0, (long) MAX_CPUS / 8, mask);
            if (result != 0) {
                throw new IllegalArgumentException("cpu " + cpu + " does not exist or is not allowed for this process");
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("sched_setaffinity throws nothing", e);
        }
    }
}
