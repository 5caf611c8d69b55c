package dev.millrace.provider.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

/** The jar stands beside an application's own libraries, so everything in it has Millrace's name. */
class JarIT {
    @Test
    void everyClassAndServiceIsUnderMillracesName() throws IOException {
        try (JarFile jar = new JarFile(ChildJvm.JAR.toFile())) {
            List<String> strangers = jar.stream()
                    .filter(entry -> !entry.isDirectory())
                    .map(JarEntry::getName)
                    .filter(name -> !name.startsWith("dev/millrace/"))
                    .sorted()
                    .toList();
            assertEquals(
                    List.of(
                            "META-INF/MANIFEST.MF",
                            "META-INF/services/dev.millrace.stack.port.LinkFactory",
                            "META-INF/services/java.nio.channels.spi.SelectorProvider"),
                    strangers);
        }
    }

    @Test
    void noEntryOccursTwice() throws IOException {
        try (JarFile jar = new JarFile(ChildJvm.JAR.toFile())) {
            Set<String> seen = new HashSet<>();
            List<String> twice = jar.stream()
                    .map(JarEntry::getName)
                    .filter(name -> !seen.add(name))
                    .toList();
            assertEquals(List.of(), twice);
        }
    }

    @Test
    void whatMillraceNeedsOfItsLibrariesIsInTheJar() throws Exception {
        URL[] jar = {ChildJvm.JAR.toUri().toURL()};
        try (URLClassLoader alone = new URLClassLoader("jar alone", jar, ClassLoader.getPlatformClassLoader());
                JarFile file = new JarFile(ChildJvm.JAR.toFile())) {
            int linked = 0;
            for (JarEntry entry : file.stream().toList()) {
                String name = entry.getName();
                if (name.endsWith(".class") && !name.startsWith("dev/millrace/shaded/")) {
                    // reflection over its members makes the JVM resolve every type that they name
                    Class<?> type = Class.forName(name.replace(".class", "").replace('/', '.'), false, alone);
                    linked += type.getDeclaredMethods().length + type.getDeclaredFields().length;
                }
            }
            assertTrue(linked > 100, "only " + linked + " members");
        }
    }
}
