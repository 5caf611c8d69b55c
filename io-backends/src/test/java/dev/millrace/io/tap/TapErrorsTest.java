package dev.millrace.io.tap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.io.contract.Lab;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a user is told when a tap cannot be had, and that nothing stays behind. */
class TapErrorsTest {
    private final TapLinkFactory factory = new TapLinkFactory();

    @Test
    void refusesNamesThatTheKernelWouldRefuse() {
        for (String name : List.of("", "a-name-too-long-1", "a/b", "tap%d", "a b", "..")) {
            LinkException e = assertThrows(LinkException.class, () -> factory.open(name, LinkOptions.defaults()));
            assertOneLine(e, "interface name");
        }
    }

    @Test
    void saysThatAnInterfaceIsTaken() throws Exception {
        Lab.assumeRoot();
        Lab.inNewNamespace(() -> {
            try (Port first = factory.open("millio1", LinkOptions.defaults())) {
                assertTrue(first.linkUp());
                LinkException e =
                        assertThrows(LinkException.class, () -> factory.open("millio1", LinkOptions.defaults()));
                assertOneLine(e, "taken");
            }
            return true;
        });
    }

    @Test
    void saysThatAnInterfaceIsNoTap() throws Exception {
        Lab.assumeRoot();
        Lab.inNewNamespace(() -> {
            LinkException e = assertThrows(LinkException.class, () -> factory.open("lo", LinkOptions.defaults()));
            assertOneLine(e, "not a tap");
            return true;
        });
    }

    @Test
    void setsTheMtuOfItsOwnInterfaceOnly() throws Exception {
        Lab.assumeRoot();
        LinkOptions jumbo = new LinkOptions(1, 9000, 0, 64, List.of());
        Lab.inNewNamespace(() -> {
            try (Port port = factory.open("millio2", jumbo)) {
                assertEquals(9000, port.mtu());
            }
            Lab.run("ip", "tuntap", "add", "dev", "millio3", "mode", "tap");
            LinkException e = assertThrows(LinkException.class, () -> factory.open("millio3", jumbo));
            assertOneLine(e, "ip link set millio3 mtu 9000");
            return true;
        });
    }

    @Test
    void removesWhatItMadeAndKeepsWhatItFound() throws Exception {
        Lab.assumeRoot();
        Lab.inNewNamespace(() -> {
            factory.open("millio4", LinkOptions.defaults()).close();
            assertEquals(0, Lab.interfaceIndex("millio4"));
            Lab.run("ip", "tuntap", "add", "dev", "millio5", "mode", "tap");
            factory.open("millio5", LinkOptions.defaults()).close();
            assertNotEquals(0, Lab.interfaceIndex("millio5"));
            return true;
        });
    }

    @Test
    void aRemovedInterfaceIsALinkThatIsDown() throws Exception {
        Lab.assumeRoot();
        Lab.inNewNamespace(() -> {
            try (Port port = factory.open("millio6", LinkOptions.defaults())) {
                Lab.run("ip", "link", "del", "millio6");
                assertFalse(port.linkUp());
                assertEquals(0, port.rx(0).receive(new Packet[1], 1));
                port.rx(0).await(1_000_000);
            }
            return true;
        });
    }

    private static void assertOneLine(LinkException e, String part) {
        String message = e.getMessage();
        assertTrue(message.contains(part), message);
        assertTrue(message.startsWith("tap:") && message.lines().count() == 1, message);
    }
}
