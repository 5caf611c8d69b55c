package dev.millrace.compat.packetdrill;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The statements between {@code %{} and {@code }%}: a small part of Python. {@code assert}, {@code print} and assignments, over numbers, strings and
 * tuples, with Python's operators and their precedence. Variables live as long as the script. One thread.
 */
final class Statements {
    private static final Pattern FORMAT = Pattern.compile("%[-0-9.]*[a-z]");

    private final Map<String, Object> variables = new HashMap<>();
    private final Function<String, @Nullable Long> names;
    private Scanner scanner = new Scanner("");

    /** @param names values of the names that are no variables of the script; null for unknown ones */
    Statements(Function<String, @Nullable Long> names) {
        this.names = names;
    }

    /**
     * @throws ScriptException an assertion does not hold
     * @throws UnsupportedConstructException another statement, an unknown name
     */
    void run(String text) {
        scanner = new Scanner(text.replace("\\\n", " "), false);
        while (!scanner.atEnd()) {
            if (!scanner.take(";")) {
                statement();
            }
        }
    }

    private void statement() {
        if (scanner.takeWord("assert")) {
            assertion();
        } else if (scanner.takeWord("print")) {
            tuple();
        } else if (scanner.takeWord("pass")) {
            return;
        } else {
            assignment();
        }
    }

    private void assertion() {
        String text = scanner.rest();
        Object holds = condition();
        Object message = scanner.take(",") ? condition() : "";
        if (!isTrue(holds)) {
            throw new ScriptException("assert " + text + (message.equals("") ? "" : ": " + textOf(message)));
        }
    }

    private void assignment() {
        String line = scanner.rest();
        if (!Character.isLetter(scanner.peek()) && scanner.peek() != '_') {
            throw new UnsupportedConstructException("statement " + line);
        }
        String name = scanner.word();
        if (!scanner.take("=") || scanner.looksAt("=")) {
            throw new UnsupportedConstructException("statement " + line);
        }
        variables.put(name, tuple());
    }

    // ---- expressions, from the weakest operator to the strongest ----

    private Object tuple() {
        Object first = condition();
        if (!scanner.looksAt(",")) {
            return first;
        }
        List<Object> items = new ArrayList<>(List.of(first));
        while (scanner.take(",")) {
            if (scanner.looksAt(")")) {
                break;
            }
            items.add(condition());
        }
        return items;
    }

    private Object condition() {
        Object left = conjunction();
        while (scanner.takeWord("or")) {
            Object right = conjunction();
            left = isTrue(left) ? left : right;
        }
        return left;
    }

    private Object conjunction() {
        Object left = negation();
        while (scanner.takeWord("and")) {
            Object right = negation();
            left = isTrue(left) ? right : left;
        }
        return left;
    }

    private Object negation() {
        return scanner.takeWord("not") ? truth(!isTrue(negation())) : comparison();
    }

    /** Python's chains: {@code a < b < c} is both. */
    private Object comparison() {
        Object left = bits();
        boolean any = false;
        boolean holds = true;
        String operator = operator("==", "!=", "<=", ">=", "<", ">", "in", "not in", "is");
        while (operator != null) {
            Object right = bits();
            holds &= compare(left, operator, right);
            left = right;
            any = true;
            operator = operator("==", "!=", "<=", ">=", "<", ">", "in", "not in", "is");
        }
        return any ? truth(holds) : left;
    }

    private @Nullable String operator(String... candidates) {
        if (scanner.looksAt("<<") || scanner.looksAt(">>")) {
            return null;
        }
        for (String candidate : candidates) {
            if (Character.isLetter(candidate.charAt(0)) ? scanner.takeWord(candidate) : scanner.take(candidate)) {
                return candidate;
            }
        }
        return null;
    }

    private static boolean compare(Object left, String operator, Object right) {
        if (operator.endsWith("in")) {
            boolean there = right instanceof List<?> list && list.contains(left);
            return there != operator.startsWith("not");
        }
        int order = left instanceof String || right instanceof String
                ? textOf(left).compareTo(textOf(right))
                : Double.compare(number(left), number(right));
        return switch (operator) {
            case "==", "is" -> order == 0;
            case "!=" -> order != 0;
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            default -> order >= 0;
        };
    }

    private Object bits() {
        Object left = shift();
        while (true) {
            if (scanner.take("|")) {
                left = (double) (whole(left) | whole(shift()));
            } else if (scanner.take("&")) {
                left = (double) (whole(left) & whole(shift()));
            } else if (scanner.take("^")) {
                left = (double) (whole(left) ^ whole(shift()));
            } else {
                return left;
            }
        }
    }

    private Object shift() {
        Object left = sum();
        while (true) {
            if (scanner.take("<<")) {
                left = (double) (whole(left) << whole(sum()));
            } else if (scanner.take(">>")) {
                left = (double) (whole(left) >> whole(sum()));
            } else {
                return left;
            }
        }
    }

    private Object sum() {
        Object left = product();
        while (true) {
            if (scanner.take("+")) {
                Object right = product();
                left = left instanceof String ? textOf(left) + textOf(right) : (Object) (number(left) + number(right));
            } else if (scanner.take("-")) {
                left = number(left) - number(product());
            } else {
                return left;
            }
        }
    }

    private Object product() {
        Object left = unary();
        while (true) {
            if (scanner.take("//")) {
                left = Math.floor(number(left) / number(unary()));
            } else if (scanner.take("*")) {
                left = number(left) * number(unary());
            } else if (scanner.take("/")) {
                left = number(left) / number(unary());
            } else if (scanner.take("%")) {
                Object right = unary();
                left = left instanceof String text
                        ? formatted(text, right)
                        : (Object) remainder(whole(left), whole(right));
                left = left instanceof Long remainder ? (Object) (double) remainder : left;
            } else {
                return left;
            }
        }
    }

    private static long remainder(long number, long by) {
        if (by == 0) {
            throw new ScriptException("a remainder of a division by zero");
        }
        return Math.floorMod(number, by);
    }

    private static String formatted(String text, Object argument) {
        String result = text;
        List<?> arguments = argument instanceof List<?> list ? list : List.of(argument);
        for (Object each : arguments) {
            result = FORMAT.matcher(result)
                    .replaceFirst(textOf(each).replace("\\", "\\\\").replace("$", "\\$"));
        }
        return result;
    }

    private Object unary() {
        if (scanner.take("-")) {
            return -number(unary());
        }
        if (scanner.take("~")) {
            return (double) ~whole(unary());
        }
        return atom();
    }

    private Object atom() {
        if (scanner.take("(")) {
            Object inner = tuple();
            scanner.expect(")");
            return inner;
        }
        for (String quote : List.of("\"", "'")) {
            if (scanner.take(quote)) {
                return scanner.until(quote);
            }
        }
        if (scanner.atNumber()) {
            long whole = scanner.number();
            if (scanner.here() == '.') {
                scanner.expect(".");
                return Double.parseDouble(whole + "." + scanner.span("0123456789") + "0");
            }
            return (double) whole;
        }
        String name = scanner.word();
        return scanner.take("(") ? function(name) : named(name);
    }

    private Object function(String name) {
        Object argument = tuple();
        scanner.expect(")");
        List<?> all = argument instanceof List<?> list ? list : List.of(argument);
        return switch (name) {
            case "abs" -> Math.abs(number(argument));
            case "int" -> (double) whole(argument);
            case "float" -> number(argument);
            case "str" -> textOf(argument);
            case "min" -> all.stream().mapToDouble(Statements::number).min().orElse(0);
            case "max" -> all.stream().mapToDouble(Statements::number).max().orElse(0);
            default -> throw new UnsupportedConstructException("function " + name);
        };
    }

    private Object named(String name) {
        if (name.equals("True") || name.equals("False")) {
            return truth(name.equals("True"));
        }
        Object variable = variables.get(name);
        if (variable != null) {
            return variable;
        }
        Long value = names.apply(name);
        if (value != null) {
            return (double) value;
        }
        return (double) Constants.of(name);
    }

    // ---- values: Double, String, List ----

    private static Object truth(boolean holds) {
        return holds ? 1.0 : 0.0;
    }

    private static boolean isTrue(Object value) {
        return switch (value) {
            case Double number -> number != 0;
            case List<?> list -> !list.isEmpty();
            default -> !value.equals("");
        };
    }

    private static double number(Object value) {
        if (value instanceof Double number) {
            return number;
        }
        throw new ScriptException("'" + textOf(value) + "' is no number");
    }

    private static long whole(Object value) {
        return (long) number(value);
    }

    private static String textOf(Object value) {
        if (value instanceof Double number && number == Math.rint(number)) {
            return String.format(Locale.ROOT, "%.0f", number);
        }
        return value.toString();
    }
}
