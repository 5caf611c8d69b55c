package dev.millrace.stack.conformance;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/** How tests ended, from the reports that Surefire and Failsafe write. Of a test's invocations the worst counts. */
final class Outcomes {
    /** From good to bad. */
    enum Outcome {
        PASSED("pass"),
        SKIPPED("skipped here"),
        NOT_RUN("not run"),
        FAILED("**fail**");

        final String text;

        Outcome(String text) {
            this.text = text;
        }

        Outcome worse(Outcome other) {
            return compareTo(other) < 0 ? other : this;
        }
    }

    private final Map<String, Outcome> byTest = new HashMap<>();

    void addFolder(Path reports) throws IOException {
        if (!Files.isDirectory(reports)) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(reports, "TEST-*.xml")) {
            for (Path file : files) {
                try (InputStream in = Files.newInputStream(file)) {
                    read(XMLInputFactory.newFactory().createXMLStreamReader(in));
                } catch (XMLStreamException e) {
                    throw new IOException(file + " is not a test report; delete it and run the tests again", e);
                }
            }
        }
    }

    private void read(XMLStreamReader xml) throws XMLStreamException {
        String test = "";
        String type = "";
        while (xml.hasNext()) {
            if (xml.next() != XMLStreamConstants.START_ELEMENT) {
                continue;
            }
            switch (xml.getLocalName()) {
                case "testcase" -> {
                    type = classOf(xml.getAttributeValue(null, "classname"));
                    test = type + "#" + methodOf(xml.getAttributeValue(null, "name"));
                    note(test, type, Outcome.PASSED);
                }
                case "failure", "error" -> note(test, type, Outcome.FAILED);
                case "skipped" -> note(test, type, Outcome.SKIPPED);
                default -> {
                    // properties, output
                }
            }
        }
    }

    private void note(String test, String type, Outcome outcome) {
        byTest.merge(test, outcome, Outcome::worse);
        byTest.merge(type + "#", outcome, Outcome::worse);
    }

    /** Surefire appends the invocation's number to the name of a parameterized class. */
    private static String classOf(String name) {
        int end = name.indexOf('[');
        return end < 0 ? name : name.substring(0, end);
    }

    /** And to that of a method, with its parameter types before. */
    private static String methodOf(String name) {
        int end = 0;
        while (end < name.length() && Character.isJavaIdentifierPart(name.charAt(end))) {
            end++;
        }
        return name.substring(0, end);
    }

    Outcome of(RuleTests.Test test) {
        return byTest.getOrDefault(test.type() + "#" + test.method(), Outcome.NOT_RUN);
    }
}
