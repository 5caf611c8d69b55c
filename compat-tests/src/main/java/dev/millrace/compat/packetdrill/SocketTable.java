package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.TcpInfo;
import dev.millrace.stack.tcp.TcpState;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Shell lines that look into FreeBSD's table of sockets: {@code sockstat … | grep -c STATE | grep N} asserts how many connections are in a state.
 * Nothing is executed; the stack's own table is asked. One thread.
 */
final class SocketTable {
    private static final Pattern COUNT = Pattern.compile(
            "sockstat\\b[^|]*\\|(?:\\s*grep\\s+[a-z]+\\s*\\|)?\\s*grep\\s+-c\\s+(\\w+)\\s*\\|\\s*grep\\s+(\\d+)");
    /** Ends the connections that a script leaves behind for the next, which here has a stack of its own. */
    private static final Pattern DROP = Pattern.compile("tcpdrop\\s+.*");

    private static final Map<String, TcpState> STATES = Map.of(
            "SYN_SENT", TcpState.SYN_SENT,
            "SYN_RCVD", TcpState.SYN_RECEIVED,
            "ESTABLISHED", TcpState.ESTABLISHED,
            "CLOSE_WAIT", TcpState.CLOSE_WAIT,
            "FIN_WAIT_1", TcpState.FIN_WAIT_1,
            "FIN_WAIT_2", TcpState.FIN_WAIT_2,
            "CLOSING", TcpState.CLOSING,
            "LAST_ACK", TcpState.LAST_ACK,
            "TIME_WAIT", TcpState.TIME_WAIT);

    private SocketTable() {}

    static boolean isDrop(String command) {
        return DROP.matcher(command).matches();
    }

    static boolean isCount(String command) {
        return COUNT.matcher(command).matches();
    }

    /**
     * @throws ScriptException another number of connections is in that state
     * @throws UnsupportedConstructException there is no such state
     */
    static void check(String command, List<TcpInfo> connections) {
        Matcher count = COUNT.matcher(command);
        TcpState state = count.matches() ? STATES.get(count.group(1)) : null;
        if (state == null) {
            throw new UnsupportedConstructException("`" + command + "`");
        }
        long there = connections.stream().filter(each -> each.state() == state).count();
        // a pattern, which is found in more than one number
        if (!Long.toString(there).contains(count.group(2))) {
            throw new ScriptException(there + " connections in state " + count.group(1) + "; expected " + count.group(2)
                    + ", there are " + connections.stream().map(TcpInfo::state).toList());
        }
    }
}
