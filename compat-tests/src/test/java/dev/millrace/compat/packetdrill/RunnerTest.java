package dev.millrace.compat.packetdrill;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The runner tells a script that passes from one that does not, and names what it does not know: it can fail. */
class RunnerTest {
    private static final String ACCEPTED = """
            0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
            +0 bind(3, ..., ...) = 0
            +0 listen(3, 1) = 0
            +0 < S 0:0(0) win 32792 <mss 1000>
            +0 > S. 0:0(0) ack 1 <mss 1460>
            +.01 < . 1:1(0) ack 1 win 32792
            +0 accept(3, ..., ...) = 4
            """;

    @TempDir
    Path directory;

    private Verdict play(String script) throws IOException {
        Path file = directory.resolve("script.pkt");
        Files.writeString(file, script);
        return Verdict.of(file, Personality.LINUX, Map.of());
    }

    private void assertFails(String script, String reason) throws IOException {
        Verdict verdict = play(ACCEPTED + script);
        assertEquals(Verdict.Kind.FAILED, verdict.kind(), verdict.detail());
        assertTrue(verdict.detail().contains(reason), verdict.detail());
    }

    private void assertUnsupported(String script, String construct) throws IOException {
        Verdict verdict = play(ACCEPTED + script);
        assertEquals(Verdict.Kind.UNSUPPORTED, verdict.kind(), verdict.detail());
        assertTrue(verdict.detail().contains(construct), verdict.detail());
    }

    @Test
    void passesWhatHappens() throws IOException {
        assertEquals(new Verdict(directory.resolve("script.pkt"), Verdict.Kind.PASSED, ""), play(ACCEPTED));
    }

    @Test
    void countsConnectionsOfAState() throws IOException {
        String count = "+0 `sockstat -4 -P tcp -s | grep -c %s | grep %s`\n";
        assertEquals(
                Verdict.Kind.PASSED,
                play(ACCEPTED + count.formatted("ESTABLISHED", "1")).kind());
        assertFails(count.formatted("ESTABLISHED", "2"), "1 connections in state ESTABLISHED; expected 2");
        assertUnsupported(count.formatted("ESTABLISHD", "1"), "ESTABLISHD");
        assertUnsupported("+0 `tcpdrop -s ESTABLISHED`\n+0 write(4, ..., 1) = 1", "tcpdrop -s ESTABLISHED");
    }

    @Test
    void takesTheLinesOfItsOwnSystem() throws IOException {
        assertFails("#ifdef Linux\n+0 write(4, ..., 1) = 2\n#endif", "write: expected 2, got 1");
        assertEquals(
                Verdict.Kind.PASSED,
                play(ACCEPTED + "#ifndef Linux\n+0 write(4, ..., 1) = 2\n#endif")
                        .kind());
        assertFails("#ifdef Linux", "#endif is missing");
        assertFails("#else", "there is no #ifdef before this");
    }

    @Test
    void failsWhereASegmentDiffers() throws IOException {
        assertFails("+0 write(4, ..., 100) = 100\n+0 > P. 1:100(99) ack 1", "payload of 100 bytes");
        assertFails("+0 write(4, ..., 100) = 100\n+0 > . 1:101(100) ack 1", "wrong flags");
        assertFails("+0 write(4, ..., 100) = 100\n+0 > P. 2:102(100) ack 1", "sequence number");
        assertFails("+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 2", "acknowledgment");
        assertFails("+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 win 7", "window");
        assertFails("+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1 <nop,nop,TS val 1 ecr 2>", "options");
        assertFails("+0 write(4, ..., 100) = 100\n+0 > [ect0] P. 1:101(100) ack 1", "ECN bits");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "setsockopt(4, SOL_TCP, TCP_DEFER_ACCEPT, [1], 4) = 0",
                "setsockopt(4, SOL_TCP, TCP_WINDOW_CLAMP, [1], 4) = 0",
                "setsockopt(4, SOL_SOCKET, SO_ZEROCOPY, [1], 4) = 0",
                "setsockopt(4, SOL_SOCKET, SO_TIMESTAMPING, [1], 4) = 0",
                "setsockopt(4, SOL_IP, IP_MTU_DISCOVER, [IP_PMTUDISC_DONT], 4) = 0",
                "setsockopt(4, SOL_TCP, TCP_CONGESTION, \"vegas\", 5) = 0",
                "send(4, ..., 100, MSG_EOR) = 100",
                "send(4, ..., 100, MSG_ZEROCOPY) = 100",
                "recv(4, ..., 100, MSG_ERRQUEUE) = 100",
                "splice(4, NULL, 5, NULL, 100, 0) = 100",
                "sendfile(4, 5, [0], 100) = 100"
            })
    void namesWhatThereIsNot(String call) throws IOException {
        Verdict verdict = play(ACCEPTED + "+0 " + call);
        assertEquals(Verdict.Kind.UNSUPPORTED, verdict.kind(), verdict.detail());
    }

    @Test
    void failsWhereTheStackGivesNoCookie() throws IOException {
        assertFails("+0 < S 0:100(100) win 32792 <mss 1460,FO TFO_COOKIE,nop,nop>", "gives out no Fast Open cookie");
    }

    @Test
    void aTimeoutThatTheEngineCannotHaveIsUnsupported() throws IOException {
        for (String sysctl : new String[] {
            "net.ipv4.tcp_rto_min_us=0", "net.inet.tcp.rexmit_slop=0", "net.inet.tcp.rexmit_slop=120001"
        }) {
            assertEquals(
                    Verdict.Kind.UNSUPPORTED,
                    play("`sysctl " + sysctl + "`\n" + ACCEPTED).kind(),
                    sysctl);
        }
    }

    @Test
    void aScriptChoosesItsPersonality() throws IOException {
        String script = "--personality=freebsd\n"
                + ACCEPTED.replace("<mss 1000>", "<mss 1000,sackOK,nop,nop>")
                        .replace("<mss 1460>", "<mss 1460,sackOK,eol,eol>");
        assertEquals(Verdict.Kind.PASSED, play(script).kind());
        assertEquals(
                Verdict.Kind.FAILED, play(script.replace("freebsd", "linux")).kind());
        assertEquals(
                Verdict.Kind.FAILED, play(script.replace("freebsd", "solaris")).kind());
    }

    @Test
    void failsWhereNothingIsSentInTime() throws IOException {
        assertFails("+0 > P. 1:101(100) ack 1", "nothing was sent");
        assertFails("+0 write(4, ..., 100) = 100\n+.1 > P. 1:101(100) ack 1", "instead of");
    }

    @Test
    void failsWhereACallEndsOtherwise() throws IOException {
        assertFails("+0 write(4, ..., 100) = 99", "expected 99, got 100");
        assertFails("+0 write(9, ..., 100) = 100", "EBADF");
        assertFails("+0...+.1 read(4, ..., 100) = 0", "has not ended");
        assertFails("+0 < P. 1:11(10) ack 1 win 32792\n+0...+.1 read(4, ..., 100) = 10", "did not block");
    }

    @Test
    void failsWhereAnAssertionDoesNotHold() throws IOException {
        assertFails("+0 %{ assert tcpi_snd_cwnd == 11, tcpi_snd_cwnd }%", "assert");
        assertFails("+0 %{ x = 2 * (3 + 4) // 5\nassert 1 < x < 2 or not x == 2 }%", "assert");
    }

    @Test
    void oneSegmentOfAScriptMayBeSeveralOnTheWire() throws IOException {
        assertEquals(
                Verdict.Kind.PASSED,
                play(ACCEPTED + "+0 write(4, ..., 5000) = 5000\n+0 > P. 1:5001(5000) ack 1")
                        .kind());
    }

    @Test
    void namesWhatItDoesNotKnow() throws IOException {
        assertUnsupported("+0 < udp (100)", "udp");
        assertUnsupported("+0 sendfile(4, 3, ..., 100) = 100", "sendfile");
        assertUnsupported("+0 setsockopt(4, SOL_TCP, TCP_MD5SIG, [1], 4) = 0", "TCP_MD5SIG");
        assertUnsupported("+0 `iptables -A INPUT -j DROP`", "iptables");
        assertUnsupported("+0 %{ assert tcpi_phase_of_moon == 1 }%", "tcpi_phase_of_moon");
        assertUnsupported("+0 < . 1:1(0) ack 1 win 100 <md5 abcd>", "md5");
    }

    @Test
    void saysInWhichLine() throws IOException {
        assertTrue(play(ACCEPTED + "+0 write(4, ..., 100) = 99").line().contains("script.pkt:8: FAIL: "));
    }

    @Test
    void takesTheSysctlsOfAShellScriptBesideTheScripts() throws IOException {
        Files.writeString(directory.resolve("defaults.sh"), """
                #!/bin/bash
                # what these scripts take for granted
                sysctl -q net.ipv4.tcp_rmem="4096 540000 $((15 * 1024*1024))" > /dev/null 2>&1
                sysctl -q net/ipv4/tcp_timestamps=0; sysctl -q net.ipv4.tcp_sack=0   # neither
                """);
        String script =
                "`./defaults.sh`\n" + ACCEPTED.replace("<mss 1000>", "<mss 1000,sackOK,TS val 1 ecr 0,nop,wscale 7>");
        assertEquals(
                "",
                play(script.replace("<mss 1460>", "<mss 1460,nop,wscale 8>")).detail());
        Verdict other = play(script.replace("<mss 1460>", "<mss 1460,nop,wscale 7>"));
        assertEquals(Verdict.Kind.FAILED, other.kind());
    }

    @Test
    void namesAShellScriptThatIsNotThere() throws IOException {
        Verdict verdict = play("`../common/defaults.sh`\n" + ACCEPTED);
        assertEquals(Verdict.Kind.UNSUPPORTED, verdict.kind());
        assertTrue(verdict.detail().contains("there is no"), verdict.detail());
    }

    @Test
    void namesShellScriptsThatCallThemselves() throws IOException {
        Files.writeString(directory.resolve("a.sh"), "./a.sh\n");
        assertEquals(Verdict.Kind.UNSUPPORTED, play("`./a.sh`\n" + ACCEPTED).kind());
    }

    @Test
    void namesAQueueThatWouldDropOrPace() throws IOException {
        assertUnsupported("+0 `tc qdisc replace dev tun0 root pfifo limit 0`", "tc qdisc");
        assertUnsupported("+0 `tc qdisc replace dev tun0 root fq`", "tc qdisc");
    }

    @Test
    void takesAPushThatOnlyAKernelMakes() throws IOException {
        String twoSegments = ACCEPTED + "+0 write(4, ..., 20000) = 20000\n";
        assertEquals("", play(twoSegments + "+0 > P. 1:10001(10000) ack 1").detail());
        assertEquals("", play(twoSegments + "+0 > . 1:10001(10000) ack 1").detail());
        assertEquals("", play(twoSegments + "+0 > P. 1:1001(1000) ack 1").detail());
        assertFails("+0 write(4, ..., 2000) = 2000\n+0 > P. 1:1001(1000) ack 1", "wrong flags");
        assertFails("+0 write(4, ..., 2000) = 2000\n+0 > . 1:2001(2000) ack 1", "wrong flags");
    }

    @Test
    void cutsAPayloadThatNoPacketHolds() throws IOException {
        String script = ACCEPTED + "+0 < P. 1:20001(20000) ack 1 win 32792\n+0 read(4, ..., 30000) = 20000\n";
        assertEquals("", play(script).detail());
    }

    @Test
    void namesSegmentsThatAnInterfaceHasJoined() throws IOException {
        String line = play("--mss=1000\n" + ACCEPTED).line();
        assertTrue(line.endsWith("script.pkt: unsupported: --mss: segments that an interface has joined (GRO)"), line);
    }

    @Test
    void namesFlagsAndTheirLine() throws IOException {
        String line = play(ACCEPTED + "+0 send(4, ..., 100, MSG_EOR) = 100").line();
        assertTrue(line.endsWith("script.pkt:8: unsupported: MSG_EOR"), line);
    }

    @Test
    void doesNotBeginAScriptWithACommandThatItCannotRun() throws IOException {
        assertUnsupported(
                "+0 write(4, ..., 100) = 99\n+0 `tc qdisc replace dev tun0 root pfifo limit 0`", "pfifo limit 0");
    }

    @Test
    void hasNoBufferAtNull() throws IOException {
        String script = ACCEPTED + """
                +0 write(4, NULL, 100) = -1 EFAULT (Bad address)
                +0 sendto(4, NULL, 100, 0, ..., ...) = -1 EFAULT (Bad address)
                +0 < P. 1:11(10) ack 1 win 32792
                +0 recv(4, NULL, 10, 0) = -1 EFAULT (Bad address)
                +0 read(4, ..., 10) = 10
                """;
        assertEquals("", play(script).detail());
    }

    @Test
    void readsAfterShutdownWhatStillArrives() throws IOException {
        String script = ACCEPTED + """
                +0 shutdown(4, SHUT_RD) = 0
                +0 read(4, ..., 10) = 0
                +0 < P. 1:11(10) ack 1 win 32792
                +0 read(4, ..., 10) = 10
                """;
        assertEquals("", play(script).detail());
    }

    @Test
    void countsTheEndOfABlockingCallFromWhereItsBeginningCounts() throws IOException {
        String script = ACCEPTED
                + "+.01 ... 0.02 read(4, ..., 10) = 10\n+.01 < P. 1:11(10) ack 1 win 32792\n+0 > . 1:1(0) ack 11";
        assertEquals("", play(script).detail());
    }

    @Test
    void missesArguments() throws IOException {
        assertFails("+0 write(4, ...) = 100", "argument 3 is missing");
    }

    @Test
    void namesMutationsOfPackets() throws IOException {
        assertUnsupported("+0 < P. 1:11(10) ack 1 win 32792 {rep tcp window 7}", "{rep tcp window 7}");
    }

    @Test
    void forgetsServersWhenTold() throws IOException {
        assertEquals("", play("`ip tcp_metrics flush all`\n" + ACCEPTED).detail());
        assertEquals("", play(ACCEPTED + "+0 `ip tcp_metrics flush all`").detail());
    }

    @Test
    void changesSysctlsWhileTheScriptRunsWhenTheyAreReadOnUse() throws IOException {
        String goesOn = "\n+0 close(4) = 0\n+0 > F. 1:1(0) ack 1";
        assertEquals(
                "",
                play(ACCEPTED + "+0 `sysctl -q net.ipv4.tcp_retries2=3`" + goesOn)
                        .detail());
        for (String fixed : List.of("tcp_rmem=\"1 2 3\"", "tcp_max_tw_buckets=7", "tcp_congestion_control=dctcp")) {
            String asked = "+0 `sysctl -q net.ipv4." + fixed + "`";
            assertUnsupported(asked + goesOn, "after the first socket");
        }
        assertUnsupported("+0 `sysctl -q net.ipv4.tcp_reordering=9`" + goesOn, "tcp_reordering=9");
    }

    @Test
    void comparesWhatIsLeftToRead() throws IOException {
        String reads = "+0 < P. 1:11(10) ack 1 win 32792\n+0 > . 1:1(0) ack 11\n+0 recvmsg(4, {msg_name(...)=..., "
                + "msg_iov(1)=[{..., 4}], msg_flags=0, msg_control=[{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=";
        String inq = "+0 setsockopt(4, SOL_TCP, TCP_INQ, [1], 4) = 0\n";
        assertEquals("", play(ACCEPTED + inq + reads + "6}]}, 0) = 4").detail());
        assertFails(inq + reads + "5}]}, 0) = 4", "there are 6");
        assertFails(reads + "6}]}, 0) = 4", "only with TCP_INQ");
    }

    @Test
    void looksAtCountersByTheirNamesOnLinux() throws IOException {
        String asks = "+0 `nstat | grep TcpExtOutOfWindowIcmps > /dev/null`\n";
        assertFails(asks, "TcpExtOutOfWindowIcmps has counted nothing");
        assertEquals(
                "",
                play(ACCEPTED + "+0 < icmp unreachable [5000:6000(1000)]\n" + asks)
                        .detail());
        assertUnsupported("+0 `nstat | grep TcpExtPhasesOfMoon > /dev/null`", "TcpExtPhasesOfMoon");
    }

    @Test
    void changesWhoUsesFastOpenWhileTheScriptRuns() throws IOException {
        String script = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 `sysctl net.ipv4.tcp_fastopen=0`\n"
                + "+0 setsockopt(3, SOL_TCP, TCP_FASTOPEN_CONNECT, [1], 4) = ";
        assertEquals("", play(script + "-1 EOPNOTSUPP").detail());
        assertEquals(Verdict.Kind.FAILED, play(script + "0").kind());
    }

    @Test
    void replacesWordsThatTheCallerDefines() throws IOException {
        Path file = directory.resolve("defined.pkt");
        Files.writeString(file, ACCEPTED + "+0 write(4, ..., LENGTH) = LENGTH\n+0 > P. 1:101(LENGTH) ack 1\n");
        Map<String, String> defined = Map.of(Verdict.DEFINE + "LENGTH", "100");
        assertEquals("", Verdict.of(file, Personality.LINUX, defined).detail());
        assertEquals(
                Verdict.Kind.FAILED,
                Verdict.of(file, Personality.LINUX, Map.of()).kind());
    }

    @Test
    void saysWhatIsUnsupportedWithALineOrWithout() throws IOException {
        assertTrue(
                play("--strict_segments\n" + ACCEPTED).line().endsWith("script.pkt: unsupported: --strict_segments"));
        assertTrue(play(ACCEPTED + "+0 sendfile(4, 3, ..., 100) = 100")
                .line()
                .matches(".*script\\.pkt:\\d+: unsupported: sendfile.*"));
    }
}
