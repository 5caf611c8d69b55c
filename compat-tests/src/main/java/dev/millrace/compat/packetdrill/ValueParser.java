package dev.millrace.compat.packetdrill;

import java.util.ArrayList;
import java.util.List;

/** Reads arguments of system calls: numbers, constants, strings, {@code [lists]} and {@code {structures}}. One thread. */
final class ValueParser {
    private final Scanner scanner;

    ValueParser(Scanner scanner) {
        this.scanner = scanner;
    }

    /** {@code (a, b, …)}, the opening parenthesis already taken. */
    List<Value> arguments() {
        return sequence(")");
    }

    private List<Value> sequence(String end) {
        List<Value> values = new ArrayList<>();
        while (!scanner.take(end)) {
            values.add(value());
            if (!scanner.take(",") && !scanner.looksAt(end)) {
                throw new ScriptException("expected ',' or '" + end + "' and found '" + scanner.rest() + "'");
            }
        }
        return values;
    }

    Value value() {
        Value first = single();
        if (!scanner.looksAt("|")) {
            return first;
        }
        List<Value> parts = new ArrayList<>(List.of(first));
        while (scanner.take("|")) {
            parts.add(single());
        }
        return new Value.Flags(parts);
    }

    private Value single() {
        if (scanner.take("...")) {
            return new Value.Any();
        }
        if (scanner.take("[")) {
            return new Value.Listing(sequence("]"));
        }
        if (scanner.take("{")) {
            return struct();
        }
        if (scanner.take("\"")) {
            return new Value.Text(scanner.until("\""));
        }
        if (scanner.atNumber()) {
            return product(scanner.number());
        }
        String name = scanner.word();
        if (scanner.take("(")) {
            return new Value.Call(name, sequence(")"));
        }
        return new Value.Name(name);
    }

    private Value product(long first) {
        long value = first;
        int before = scanner.position();
        while (scanner.take("*")) {
            if (!Character.isDigit(scanner.peek())) {
                scanner.back(before); // the time of the next event: any
                break;
            }
            value *= scanner.number();
            before = scanner.position();
        }
        return new Value.Whole(value);
    }

    private Value struct() {
        List<Value.Field> fields = new ArrayList<>();
        while (!scanner.take("}")) {
            fields.add(field());
            if (!scanner.take(",") && !scanner.looksAt("}")) {
                throw new ScriptException("expected ',' or '}' and found '" + scanner.rest() + "'");
            }
        }
        return new Value.Struct(fields);
    }

    private Value.Field field() {
        int start = scanner.position();
        boolean dotted = !scanner.looksAt("...") && scanner.take(".");
        if (dotted || Character.isLetter(scanner.peek())) {
            String name = scanner.word();
            if (scanner.looksAt("(")) {
                scanner.until(")");
            }
            if (scanner.take("=") || scanner.take(":")) {
                return new Value.Field(name, value());
            }
            scanner.back(start);
        }
        return new Value.Field("", value());
    }
}
