package dev.millrace.compat.packetdrill;

import java.util.List;

/** An argument or expected result of a system call, as the script writes it. Immutable. */
sealed interface Value {
    /** {@code ...}: whatever the runner chooses, or anything. */
    record Any() implements Value {}

    record Whole(long value) implements Value {}

    record Text(String value) implements Value {}

    /** A constant's name. */
    record Name(String name) implements Value {}

    /** {@code A|B|C} */
    record Flags(List<Value> parts) implements Value {}

    /** {@code htons(8080)} */
    record Call(String function, List<Value> arguments) implements Value {}

    /** {@code [a, b]} */
    record Listing(List<Value> items) implements Value {}

    /** {@code {a, name=b, .name=c, name(x)=d}}; positional fields have an empty name. */
    record Struct(List<Field> fields) implements Value {}

    record Field(String name, Value value) {}
}
