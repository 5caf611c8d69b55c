package dev.millrace.provider.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.provider.routing.Route;
import dev.millrace.provider.routing.RouteRules.Rule;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RouteRulesParserTest {
    @Test
    void commentsAndEmptyLinesAreSkipped() {
        List<Rule> rules = RouteRulesParser.parse("r", List.of("# c", "", "  bind *  *  ", "connect * 80 kernel"))
                .rules();
        assertEquals(2, rules.size());
        assertNull(rules.get(0).prefix());
        assertNull(rules.get(0).route());
        assertEquals(Route.KERNEL, rules.get(1).route());
    }

    @ParameterizedTest
    @CsvSource({"*,0,65535", "80,80,80", "1024-*,1024,65535", "1-2,1,2"})
    void ports(String text, int first, int last) {
        Rule rule = RouteRulesParser.parse("r", List.of("connect 203.0.113.0/24 " + text))
                .rules()
                .get(0);
        assertEquals(first, rule.firstPort());
        assertEquals(last, rule.lastPort());
    }

    @ParameterizedTest
    @CsvSource({
        "bind 203.0.113.1,three or four words",
        "listen 203.0.113.1 *,the first word is bind or connect",
        "bind example.com *,is not an IPv4 or IPv6 address",
        "bind 203.0.113.1/33 *,needs a prefix length",
        "bind 203.0.113.1 x,is not a port from 0",
        "bind 203.0.113.1 65536,is not a port",
        "bind 203.0.113.1 9-8,is not a port from 9",
        "connect 203.0.113.1 * both,a connect goes to stack or kernel",
        "connect 203.0.113.1 * moon,the fourth word is",
        "connect 203.0.113.1 * stack more,three or four words",
    })
    void mistakesNameTheLine(String line, String expected) {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> RouteRulesParser.parse("r", List.of("# first", line)));
        assertTrue(e.getMessage().startsWith("line 2 "), e.getMessage());
        assertTrue(e.getMessage().contains(expected), e.getMessage());
    }
}
