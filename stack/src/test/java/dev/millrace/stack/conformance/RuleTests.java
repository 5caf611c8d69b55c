package dev.millrace.stack.conformance;

import java.io.IOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.AnnotationValue;
import java.lang.classfile.AttributedElement;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Which tests keep which rule: the {@code @Rule} annotations in folders of compiled tests. Each module has its own; their simple name counts. */
final class RuleTests {
    /** A test method, or with an empty method all tests of a class. */
    record Test(String type, String method) implements Comparable<Test> {
        @Override
        public int compareTo(Test other) {
            return toString().compareTo(other.toString());
        }

        /** Class without package, and method. */
        @Override
        public String toString() {
            String simple = type.substring(type.lastIndexOf('.') + 1);
            return method.isEmpty() ? simple : simple + "." + method;
        }
    }

    private final Map<String, List<Test>> byRule = new TreeMap<>();

    void addFolder(Path classes) throws IOException {
        if (!Files.isDirectory(classes)) {
            return;
        }
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(each -> each.toString().endsWith(".class"))
                    .sorted()
                    .toList()) {
                addClass(ClassFile.of().parse(file));
            }
        }
    }

    private void addClass(ClassModel model) {
        String type = model.thisClass().asInternalName().replace('/', '.');
        add(model, new Test(type, ""));
        for (MethodModel method : model.methods()) {
            add(method, new Test(type, method.methodName().stringValue()));
        }
    }

    private void add(AttributedElement element, Test test) {
        element.findAttribute(Attributes.runtimeVisibleAnnotations())
                .ifPresent(all -> all.annotations().forEach(annotation -> add(annotation, test)));
    }

    private void add(Annotation annotation, Test test) {
        String type = annotation.className().stringValue();
        if (type.endsWith("/Rule;")) {
            if (annotation.elements().getFirst().value() instanceof AnnotationValue.OfString rule) {
                byRule.computeIfAbsent(rule.stringValue(), key -> new ArrayList<>())
                        .add(test);
            }
        } else if (type.endsWith("/Rule$Several;")
                && annotation.elements().getFirst().value() instanceof AnnotationValue.OfArray several) {
            for (AnnotationValue each : several.values()) {
                if (each instanceof AnnotationValue.OfAnnotation one) {
                    add(one.annotation(), test);
                }
            }
        }
    }

    /** The tests of a rule that has these names, in alphabetical order. */
    List<Test> of(Collection<String> names) {
        Set<Test> tests = new TreeSet<>();
        for (String name : names) {
            tests.addAll(byRule.getOrDefault(name, List.of()));
        }
        return List.copyOf(tests);
    }

    Iterable<String> rules() {
        return byRule.keySet();
    }
}
