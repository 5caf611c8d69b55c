package dev.millrace.provider.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.stack.core.StackConfig.Interface;
import dev.millrace.stack.tcp.CongestionAlgorithm;
import dev.millrace.stack.tcp.EcnMode;
import dev.millrace.stack.tcp.FastOpenMode;
import dev.millrace.stack.tcp.MtuProbing;
import dev.millrace.stack.wire.IpAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsTest {
    private final Properties properties = new Properties();

    private Settings parse(String agentArgument) throws SettingsException {
        return Settings.of(SettingsSource.of(agentArgument, properties));
    }

    @Test
    void withoutAnySettingTheLinkIsLoop() throws Exception {
        Settings settings = parse("");
        assertEquals("loop", settings.link());
        assertEquals("inline", settings.driver());
        assertEquals(1, settings.shards());
        assertEquals(50_000, settings.spinNs());
        assertEquals(512L << 20, settings.memoryBytes());
        assertEquals(OnFailure.STOP, settings.onFailure());
        assertEquals(MtuProbing.BLACKHOLE, settings.mtuProbing());
        assertFalse(settings.quiet());
        assertNull(settings.routes());
    }

    @Test
    void deviceSpecificationsKeepTheirCommasEqualsAndColons() throws Exception {
        Settings settings = parse("link=dpdk:net_memif0,role=client,socket=/tmp/a:b;address=198.18.0.1/24");
        assertEquals("dpdk", settings.linkScheme());
        assertEquals("net_memif0,role=client,socket=/tmp/a:b", settings.linkArgument());
    }

    @Test
    void addressesOfBothFamiliesAndTheirGateways() throws Exception {
        Settings settings =
                parse("link=tap:m0;address=198.18.0.1/24, fd00:18::1/64;gateway=198.18.0.254,fd00:18::fe;mtu=1280");
        IpAddress v6 = new IpAddress(0xfd00_0018_0000_0000L, 1);
        assertEquals(
                List.of(new Interface(IpAddress.v4(0xc612_0001), 24), new Interface(v6, 64)), settings.addresses());
        assertEquals(
                List.of(IpAddress.v4(0xc612_00fe), new IpAddress(0xfd00_0018_0000_0000L, 0xfe)), settings.gateways());
        assertEquals(1280, settings.mtu());
    }

    @Test
    void everyOtherSettingIsTaken() throws Exception {
        Settings settings = parse("shards=2;cpus=1,3;driver=dedicated;spin=forever;mac=02:00:5e:00:53:07;memory=2G;"
                + "connections=10;packets=1024;congestion=dctcp;ecn=on;fastopen=server;report=stderr;quiet=true;impair=loss=1%,seed=7;dpdk.args=-m 64 --no-huge;"
                + "capture=/tmp/x.pcapng;onfailure=kernel;mtuprobing=off;ttl=32");
        assertEquals(List.of(1, 3), settings.cpus());
        assertEquals("dedicated", settings.driver());
        assertEquals(Long.MAX_VALUE, settings.spinNs());
        assertEquals(0x0200_5e00_5307L, settings.mac());
        assertEquals(2L << 30, settings.memoryBytes());
        assertEquals(10, settings.connections());
        assertEquals(1024, settings.packets());
        assertEquals(CongestionAlgorithm.DCTCP, settings.congestion());
        assertEquals(EcnMode.ON, settings.ecn());
        assertEquals(FastOpenMode.SERVER, settings.fastOpen());
        assertEquals("loss=1%,seed=7", settings.impair());
        assertEquals(List.of("-m", "64", "--no-huge"), settings.dpdkArgs());
        assertEquals(Path.of("/tmp/x.pcapng"), settings.capture());
        assertEquals(OnFailure.KERNEL, settings.onFailure());
        assertEquals(MtuProbing.OFF, settings.mtuProbing());
        assertEquals(32, settings.hopLimit());
        assertTrue(settings.quiet());
    }

    @Test
    void agentWinsOverPropertyAndPropertyOverFile(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("m.conf"), "# comment\nshards=4\n\n spin = 7 \nmemory=8M\n");
        properties.setProperty("millrace.config", file.toString());
        properties.setProperty("millrace.shards", "3");
        properties.setProperty("millrace.spin", "6");
        Settings settings = parse("shards=2");
        assertEquals(2, settings.shards());
        assertEquals(6_000, settings.spinNs());
        assertEquals(8 << 20, settings.memoryBytes());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "lnk=loop | lnk=loop: unknown setting; did you mean link?",
                "adress=198.18.0.1/24 | did you mean address?",
                "Shards=2 | did you mean shards?",
                "onfailrue=stop | did you mean onfailure?",
                "link | link: not a setting",
                "=x | =x: not a setting",
                "link=loop;link=loop | link=loop: given twice",
                "link= | link=: names no kind of link",
                "link=tap:m0 | address=: missing, and link=tap:m0 needs own addresses",
                "address=198.18.0.1 | has no prefix length",
                "address=198.18.0.1/33 | needs a prefix length of 0 to 32",
                "address=fd00:18::1/129 | needs a prefix length of 0 to 128",
                "address=198.18.0/24 | is not an IPv4 or IPv6 address",
                "address=198.18.0.256/24 | is not an IPv4 or IPv6 address",
                "address=localhost/8 | is not an IPv4 or IPv6 address",
                "address=fe80::1%eth0/64 | is not an IPv4 or IPv6 address",
                "address=127.0.0.1/8 | is not an address a host can have",
                "address=0.0.0.0/0 | is not an address a host can have",
                "address=224.0.0.1/4 | is not an address a host can have",
                "address=198.18.0.1/24,198.18.0.1/16 | is named twice",
                "address=198.18.0.1/24;gateway=198.18.1.1 | is in no prefix of address",
                "address=198.18.0.1/24;gateway=198.18.0.1 | is an own address",
                "address=198.18.0.1/24;gateway=198.18.0.2,198.18.0.3 | two gateways of one family",
                "mtu=575 | mtu=575: out of range; allowed: a number of bytes, 576 to 9216",
                "address=fd00:18::1/64;mtu=1279 | mtu=1279: out of range",
                "mtu=-1 | mtu=-1: not a number",
                "mtu=99999999999999999999 | not a number",
                "mac=01:00:5e:00:00:01 | not the address of one station",
                "mac=2:0:0:0:0:1 | not a hardware address",
                "shards=0 | shards=0: out of range; allowed: 1 to 64",
                "ttl=256 | ttl=256: out of range; allowed: 1 to 255",
                "driver=fast | driver=fast: unknown driver; allowed: inline",
                "congestion=vegas | congestion=vegas: unknown congestion control; allowed: cubic",
                "fastopen=3 | fastopen=3: unknown Fast Open mode; allowed: off",
                "ecn=2 | ecn=2: unknown ECN mode; allowed: off",
                "spin=1ms | spin=1ms: not a number",
                "spin= | spin=: not a number",
                "cpus=1,2 | cpus=1,2: 2 processors for shards=1",
                "shards=2;cpus=1,1 | processor 1 is named twice",
                "cpus=2-1 | out of range",
                "memory=3M | memory=3M: out of range",
                "memory=2T | out of range",
                "memory=1e9 | not a size",
                "memory=999999999999999T | out of range",
                "routes=/nonexistent/r | routes=/nonexistent/r: cannot be read (no such file)",
                "config=/nonexistent/c | config=/nonexistent/c: cannot be read (no such file)",
                "mtuprobing=1 | mtuprobing=1: unknown choice; allowed: off | blackhole | on",
                "onfailure=panic | onfailure=panic: unknown choice; allowed: stop | kernel",
                "quiet=yes | quiet=yes: neither true nor false; allowed: true | false",
            })
    void eachMistakeIsOneLineWithKeyValueAndWhatIsAllowed(String argument, String expected) {
        SettingsException e = assertThrows(SettingsException.class, () -> parse(argument));
        String message = e.getMessage();
        assertTrue(message.contains(expected), message);
        assertEquals(1, message.lines().count(), message);
        assertTrue(message.contains("allowed: ") || message.contains("Known: "), message);
    }

    @Test
    void aSystemPropertyWithAnUnknownNameIsRefused() {
        properties.setProperty("millrace.adress", "198.18.0.1/24");
        SettingsException e = assertThrows(SettingsException.class, () -> parse(""));
        assertTrue(e.getMessage().contains("did you mean address?"), e.getMessage());
    }

    @Test
    void controlCharactersDoNotBreakTheLine() {
        properties.setProperty("millrace.shards", "1\n2\r3\u001b[0m");
        SettingsException e = assertThrows(SettingsException.class, () -> parse(""));
        assertTrue(e.getMessage().startsWith("shards=1?2?3?[0m: "), e.getMessage());
    }

    @Test
    void onFailureIsKnownWhateverElseIsWrong() {
        assertEquals(
                OnFailure.KERNEL,
                SettingsSource.of("bogus;onfailure=kernel", properties).onFailure());
        assertEquals(
                OnFailure.STOP,
                SettingsSource.of("onfailure=kernle", properties).onFailure());
    }

    @Test
    void aFileNamesItsLine(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("m.conf"), "shards=1\nnonsense\n");
        SettingsException e = assertThrows(SettingsException.class, () -> parse("config=" + file));
        assertTrue(e.getMessage().contains("line 2 of " + file), e.getMessage());
    }
}
