package dev.millrace.io.dpdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.io.contract.Lab;
import dev.millrace.stack.port.LinkException;
import dev.millrace.stack.port.LinkOptions;
import dev.millrace.stack.port.Port;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user is told when a DPDK link cannot be had, and that nothing stays behind. */
class DpdkErrorsTest {
    @TempDir
    private Path directory;

    @BeforeEach
    void dpdkIsThere() throws Exception {
        DpdkLab.assumeDpdk();
    }

    @Test
    void refusesWhatIsNoDevice() {
        for (String text : List.of("", "net null", "0000:zz:04.0", "../x", "net_null0,novalue")) {
            assertOneLine(text, text.contains(",") ? "key=value" : "not a device");
        }
    }

    @Test
    void tellsWhyADeviceCannotBeOpenedEachTimeAnew() {
        for (int i = 0; i < 2; i++) {
            assertOneLine("net_nosuchdriver0", "cannot be opened");
            assertOneLine("net_af_packet7,iface=nosuchif", "cannot be opened");
        }
        DpdkLab.assertNoRuntimeFiles();
    }

    @Test
    void aSecondUserOfALinkIsRefusedAndTheFirstKeepsIt() throws Exception {
        try (Port first = DpdkLab.open("net_ring5")) {
            assertOneLine("net_ring5", "taken");
            assertNotNull(first.tx(0).allocate());
        }
        DpdkLab.open("net_ring5").close();
    }

    @Test
    void twoDevicesOnOneInterfaceAreOneLink() throws Exception {
        Lab.assumeRoot();
        Lab.inNewNamespace(() -> {
            Lab.run("ip", "link", "add", "milla", "type", "veth", "peer", "name", "millb");
            Lab.run("ip", "link", "set", "milla", "up");
            Port first = DpdkLab.open("net_af_packet5,iface=milla");
            assertOneLine("net_af_packet6,iface=milla", "taken");
            first.close();
            return true;
        });
    }

    @Test
    void refusesAnMtuThatTheDeviceCannotCarry() {
        LinkOptions huge = new LinkOptions(1, 65_500, 0, 64, List.of());
        LinkException e = assertThrows(LinkException.class, () -> new DpdkLinkFactory().open("net_ring6", huge));
        assertTrue(e.getMessage().contains("mtu=65500"), e.getMessage());
        assertEquals(1, e.getMessage().lines().count(), e.getMessage());
    }

    @Test
    void aSocketOfAServerThatDiedIsReplaced() throws Exception {
        Path socket = directory.resolve("memif");
        try (ServerSocketChannel dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(socket));
        }
        assertTrue(Files.exists(socket));
        DpdkLab.open("net_memif5,role=server,socket-abstract=no,socket=" + socket)
                .close();
        assertFalse(Files.exists(socket));
    }

    @Test
    void aPciDeviceWithoutHugePagesNamesTheCommandThatReservesThem() throws Exception {
        String free = Files.readString(Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"));
        Assumptions.assumeTrue(free.strip().equals("0"), "huge pages are free on this machine");
        DeviceSpec device = DeviceSpec.parse("0000:00:04.0");
        LinkException e = assertThrows(LinkException.class, () -> EalArguments.of(device, LinkOptions.defaults()));
        assertTrue(e.getMessage().contains("sysctl -w vm.nr_hugepages="), e.getMessage());
    }

    @Test
    void knowsOnlyReleasesWithATable() {
        assertNotNull(DpdkAbi.of("DPDK 22.11"));
        assertNotNull(DpdkAbi.of("DPDK 22.11.11"));
        assertNull(DpdkAbi.of("DPDK 22.110"));
        assertNull(DpdkAbi.of("DPDK 23.11.0"));
    }

    private static void assertOneLine(String device, String part) {
        LinkException e = assertThrows(LinkException.class, () -> DpdkLab.open(device));
        String message = e.getMessage();
        assertTrue(message.contains(part), message);
        assertTrue(message.startsWith("dpdk:") && message.lines().count() == 1, message);
    }
}
