package dev.millrace.provider;

import dev.millrace.provider.settings.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;

/** The processors that this process may use, and those that a dedicated driver takes. */
final class Processors {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String ALLOWED = "Cpus_allowed_list:";

    private Processors() {}

    /**
     * One processor per shard: those of the setting, checked; otherwise the highest-numbered that are allowed, because interrupts and
     * other processes are usually found on the lowest. Shards beyond the number of processors share.
     */
    static int[] choose(Settings settings) throws IOException {
        BitSet allowed = allowed();
        List<Integer> wanted = settings.cpus();
        for (int cpu : wanted) {
            if (!allowed.get(cpu)) {
                throw settings.rejectCpus("processor " + cpu
                        + " does not exist or is not allowed for this process (allowed: " + allowed + ")");
            }
        }
        if (!wanted.isEmpty()) {
            return wanted.stream().mapToInt(Integer::intValue).toArray();
        }
        int[] chosen = new int[settings.shards()];
        int next = allowed.length() - 1;
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = next;
            next = allowed.previousSetBit(next - 1);
            if (next < 0) {
                next = allowed.length() - 1;
            }
        }
        return chosen;
    }

    static BitSet allowed() throws IOException {
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith(ALLOWED)) {
                return parse(line.substring(ALLOWED.length()).strip());
            }
        }
        throw new IOException(STATUS + " does not say which processors are allowed");
    }

    /** The kernel's list format, {@code 0-3,8}. */
    static BitSet parse(String list) {
        BitSet cpus = new BitSet();
        for (String part : list.split(",", -1)) {
            int dash = part.indexOf('-');
            int first = Integer.parseInt(dash < 0 ? part : part.substring(0, dash));
            cpus.set(first, (dash < 0 ? first : Integer.parseInt(part.substring(dash + 1))) + 1);
        }
        return cpus;
    }
}
