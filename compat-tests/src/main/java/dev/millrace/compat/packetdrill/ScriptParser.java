package dev.millrace.compat.packetdrill;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a whole script: option lines, then events, each with its time. Recursive descent; the parts have parsers of their own.
 * Errors name the line.
 */
final class ScriptParser {
    private final Map<String, String> options = new LinkedHashMap<>();
    private final Scanner scanner;
    private final ValueParser values;
    private final PacketParser packets;

    private ScriptParser(String text) {
        this.scanner = new Scanner(text);
        this.values = new ValueParser(scanner);
        this.packets = new PacketParser(scanner);
    }

    /**
     * @throws ScriptException the text is no script
     * @throws UnsupportedConstructException it uses what this runner does not have
     */
    static Script parse(String text) {
        return new ScriptParser(text).script();
    }

    private Script script() {
        List<Event> events = new ArrayList<>();
        while (!scanner.atEnd()) {
            int line = scanner.line();
            try {
                if (events.isEmpty() && scanner.take("--")) {
                    option();
                } else {
                    events.add(event(line));
                }
            } catch (ScriptException e) {
                throw new ScriptException(line + ": " + e.getMessage());
            } catch (UnsupportedConstructException e) {
                throw new UnsupportedConstructException(line + ": " + e.getMessage());
            }
        }
        return new Script(options, events);
    }

    private void option() {
        String name = scanner.word();
        while (scanner.here() == '-') {
            scanner.expect("-");
            name += "_" + scanner.word();
        }
        String value = "";
        if (scanner.here() == '=') {
            scanner.expect("=");
            value = scanner.looksAt("\"")
                    ? quoted()
                    : scanner.span("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/-");
        }
        options.put(name, value);
    }

    private String quoted() {
        scanner.expect("\"");
        return scanner.until("\"");
    }

    private Event event(int line) {
        if (scanner.take("`")) {
            return new Event(
                    line, When.NOW, new Event.CommandAction(scanner.until("`").strip()));
        }
        When when = when();
        return new Event(line, when, action());
    }

    // ---- times ----

    private When when() {
        if (scanner.take("*")) {
            return new When(When.Kind.ANY, 0, 0, -1);
        }
        boolean relative = scanner.take("+");
        if (!relative && !Character.isDigit(scanner.peek()) && scanner.peek() != '.') {
            throw new ScriptException("expected an event's time and found '" + scanner.rest() + "'");
        }
        long from = time();
        long to = from;
        long until = -1;
        if (scanner.take("~")) {
            to = endOf(relative);
        } else if (scanner.take("...")) {
            scanner.take("+"); // counts from where the beginning counts from, however it is written
            until = time();
        }
        return new When(relative ? When.Kind.RELATIVE : When.Kind.ABSOLUTE, from, to, until);
    }

    private long endOf(boolean relative) {
        if (scanner.take("+") != relative) {
            throw new ScriptException("both times of a range are relative ('+'), or neither is");
        }
        return time();
    }

    /** Not the scanner's, because {@code 0.1...0.2} has more points than a number. */
    private long time() {
        int start = scanner.position();
        String digits = scanner.span("0123456789.");
        int dots = digits.indexOf("...");
        if (dots >= 0) {
            scanner.back(start);
            scanner.span(" \t\r\n");
            scanner.back(scanner.position() + dots);
            return new Scanner(digits.substring(0, dots)).seconds();
        }
        return new Scanner(digits).seconds();
    }

    // ---- actions ----

    private Event.Action action() {
        if (scanner.take("`")) {
            return new Event.CommandAction(scanner.until("`").strip());
        }
        if (scanner.take("%{")) {
            return new Event.CodeAction(scanner.until("}%"));
        }
        if (scanner.take("<")) {
            return inbound();
        }
        if (scanner.take(">")) {
            if (scanner.looksAt("icmp")) {
                throw new UnsupportedConstructException("outbound icmp");
            }
            return new Event.PacketAction(false, packets.tcp());
        }
        return call();
    }

    private Event.Action inbound() {
        PacketParser.Quotation before = packets.quotationBeforeIcmp();
        // in FreeBSD's scripts the word stands for both versions
        if (scanner.takeWord("icmp")) {
            return new Event.IcmpAction(packets.icmp("ipv6".equals(options.get("ip_version")), before));
        }
        if (scanner.takeWord("icmpv6")) {
            return new Event.IcmpAction(packets.icmp(true, before));
        }
        return new Event.PacketAction(true, packets.tcp());
    }

    private Event.Action call() {
        String name = scanner.word();
        scanner.expect("(");
        List<Value> arguments = values.arguments();
        Value result = new Value.Any();
        String errno = "";
        if (scanner.take("=")) {
            result = values.value();
            if (Character.isUpperCase(scanner.peek())) {
                errno = scanner.word();
            }
            if (scanner.take("(")) {
                scanner.until(")"); // the error's or the flags' text, for the reader
            }
        }
        return new Event.CallAction(name, arguments, result, errno);
    }
}
