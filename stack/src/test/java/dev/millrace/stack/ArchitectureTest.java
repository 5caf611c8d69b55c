package dev.millrace.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.tcp.TcpSocket;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.lang.classfile.constantpool.NameAndTypeEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Keeps what makes the engine testable: packages know each other in one direction only, and nothing in it reads a clock, starts or names
 * a thread, or draws from hidden randomness. Read from the constant pools of the compiled classes, so that no import style hides it.
 */
class ArchitectureTest {
    private static final String ROOT = "dev/millrace/stack/";

    /** Which packages each may know beside itself. */
    private static final Map<String, Set<String>> MAY_USE = Map.of(
            "memory", Set.of(),
            "metrics", Set.of(),
            "time", Set.of(),
            "wire", Set.of("memory"),
            "port", Set.of("memory", "wire"),
            "tcp", Set.of("wire", "memory", "time", "metrics"),
            "udp", Set.of("wire", "memory", "metrics", "tcp"),
            "ip", Set.of("wire", "port", "memory", "metrics", "time", "tcp", "udp"),
            "core", Set.of("memory", "metrics", "time", "wire", "port", "tcp", "udp", "ip"));

    /** Of tcp, ip knows the seam only. */
    private static final Set<String> TCP_SEEN_BY_IP = Set.of("Path", "SegmentOutput", "SegmentOutput$Kind");

    /** Classes whose every use would bring time, threads, randomness or the outside world in. */
    private static final Pattern FORBIDDEN_CLASS = Pattern.compile("java/util/Random"
            + "|java/util/SplittableRandom"
            + "|java/util/concurrent/ThreadLocalRandom"
            + "|java/security/SecureRandom"
            + "|java/time/(?!Duration$).*"
            + "|java/util/Timer|java/util/TimerTask|java/util/Date"
            + "|java/util/concurrent/(?!atomic/).*(Executor|Thread|Future|Locks?|Latch|Semaphore|Barrier|Timer).*"
            + "|java/util/concurrent/locks/.*"
            + "|java/lang/ThreadLocal"
            + "|java/lang/Process.*"
            + "|java/lang/foreign/(Linker.*|SymbolLookup)"
            + "|java/net/.*|java/nio/channels/.*|java/nio/file/.*|java/io/(?!IOException$).*");

    private static final Map<String, Set<String>> ALLOWED_METHODS = Map.of("java/lang/Thread", Set.of("onSpinWait"));

    private static final Set<String> FORBIDDEN_METHODS = Set.of(
            "java/lang/System.nanoTime",
            "java/lang/System.currentTimeMillis",
            "java/lang/System.getProperty",
            "java/lang/System.getenv",
            "java/lang/Math.random",
            "java/lang/Object.wait",
            "java/util/random/RandomGenerator.getDefault",
            "java/util/random/RandomGenerator.of",
            "java/util/UUID.randomUUID",
            "java/util/Collections.shuffle");

    /** Types in descriptors and signatures, which are no class entries. */
    private static final Pattern TYPE_IN_DESCRIPTOR = Pattern.compile("L([\\w/$]+)[;<]");

    private static List<ClassModel> classes() {
        try {
            Path root = Path.of(Memory.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            try (Stream<Path> files = Files.walk(root.resolve(ROOT))) {
                return files.filter(file -> file.toString().endsWith(".class"))
                        .map(ArchitectureTest::parse)
                        .toList();
            }
        } catch (URISyntaxException | IOException e) {
            throw new AssertionError("the compiled classes cannot be found", e);
        }
    }

    private static ClassModel parse(Path file) {
        try {
            return ClassFile.of().parse(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String name(ClassModel model) {
        return model.thisClass().asInternalName();
    }

    private static String packageOf(String internalName) {
        String rest = internalName.substring(ROOT.length());
        return rest.substring(0, rest.indexOf('/'));
    }

    private static String outermost(String internalName) {
        return internalName.replaceFirst("^\\[*L?", "").replaceFirst(";$", "");
    }

    /** Every class a class names: in code, fields, signatures, descriptors, annotations. */
    private static Set<String> named(ClassModel model) {
        Set<String> names = new TreeSet<>();
        for (PoolEntry entry : model.constantPool()) {
            if (entry instanceof ClassEntry type) {
                names.add(outermost(type.asInternalName()));
            } else if (entry instanceof NameAndTypeEntry member) {
                addTypes(member.type().stringValue(), names);
            } else if (entry instanceof Utf8Entry text && text.stringValue().contains(";")) {
                addTypes(text.stringValue(), names);
            }
        }
        return names;
    }

    private static void addTypes(String descriptor, Set<String> names) {
        Matcher types = TYPE_IN_DESCRIPTOR.matcher(descriptor);
        while (types.find()) {
            names.add(types.group(1));
        }
    }

    private static Set<String> calledMembers(ClassModel model) {
        Set<String> members = new TreeSet<>();
        for (PoolEntry entry : model.constantPool()) {
            if (entry instanceof MemberRefEntry member) {
                members.add(
                        member.owner().asInternalName() + "." + member.name().stringValue());
            }
        }
        return members;
    }

    @Test
    void packagesKnowEachOtherInOneDirectionOnly() {
        List<String> violations = new ArrayList<>();
        for (ClassModel model : classes()) {
            String user = name(model);
            Set<String> allowed = MAY_USE.get(packageOf(user));
            assertNotNull(allowed, () -> "a package without a rule: " + user);
            for (String used : named(model)) {
                if (used.startsWith(ROOT)
                        && !packageOf(used).equals(packageOf(user))
                        && !allowed.contains(packageOf(used))) {
                    violations.add(user + " uses " + used);
                }
            }
        }
        assertEquals(List.of(), violations);
    }

    @Test
    void ofTcpIpKnowsTheSeamOnly() {
        List<String> violations = new ArrayList<>();
        for (ClassModel model : classes()) {
            String user = name(model);
            for (String used : named(model)) {
                if (packageOf(user).equals("ip")
                        && used.startsWith(ROOT + "tcp/")
                        && !TCP_SEEN_BY_IP.contains(used.substring((ROOT + "tcp/").length()))) {
                    violations.add(user + " uses " + used);
                }
            }
        }
        assertEquals(List.of(), violations);
    }

    @Test
    void timeThreadsAndRandomnessComeFromOutside() {
        List<String> violations = new ArrayList<>();
        for (ClassModel model : classes()) {
            String user = name(model);
            for (String used : named(model)) {
                if (FORBIDDEN_CLASS.matcher(used).matches()) {
                    violations.add(user + " names " + used);
                }
            }
            for (String member : calledMembers(model)) {
                String owner = member.substring(0, member.indexOf('.'));
                Set<String> allowed = ALLOWED_METHODS.get(owner);
                boolean permitted = allowed == null || allowed.contains(member.substring(owner.length() + 1));
                if (FORBIDDEN_METHODS.contains(member) || !permitted) {
                    violations.add(user + " calls " + member);
                }
            }
        }
        assertEquals(List.of(), violations);
    }

    /** The rules are only worth something if they see what they forbid: this test class breaks several. */
    @Test
    void theRulesSeeWhatTheyForbid() throws IOException {
        try (InputStream bytes = Culprit.class.getResourceAsStream("ArchitectureTest$Culprit.class")) {
            assertNotNull(bytes);
            ClassModel model = ClassFile.of().parse(bytes.readAllBytes());
            assertTrue(calledMembers(model).contains("java/lang/System.nanoTime"));
            assertTrue(calledMembers(model).contains("java/lang/Thread.yield"));
            assertTrue(named(model).stream().anyMatch(used -> used.equals("java/util/Random")));
            assertTrue(FORBIDDEN_CLASS.matcher("java/util/Random").matches());
            assertTrue(FORBIDDEN_CLASS.matcher("java/time/Instant").matches());
            assertTrue(FORBIDDEN_CLASS
                    .matcher("java/util/concurrent/ExecutorService")
                    .matches());
            assertTrue(named(model).contains(ROOT + "tcp/TcpSocket"), "in a descriptor only");
        }
    }

    /** Never run. */
    @SuppressWarnings("unused")
    private static final class Culprit {
        long broken(Random random, TcpSocket socket) {
            Thread.yield();
            return System.nanoTime() + random.nextLong();
        }
    }
}
