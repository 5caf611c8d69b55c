package dev.millrace.compat.client;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Kernel sockets, told by lines on standard input what to do and when, so that a test decides the order of events between two machines:
 *
 * <pre>
 *   open NAME HOST PORT     NAME open LOCALPORT
 *   get NAME PATH           NAME sent               and later  NAME answered STATUS BYTES | NAME failed EXCEPTION
 *   close NAME              NAME closed
 *   ping HOST               HOST reachable | HOST unreachable          (an ICMP echo; root only)
 * </pre>
 */
public final class Conversation {
    private final Map<String, Socket> sockets = new ConcurrentHashMap<>();

    private Conversation() {}

    public static void main(String[] args) throws IOException {
        Conversation conversation = new Conversation();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        say("ready", "");
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split(" ");
            try {
                conversation.obey(words);
            } catch (IOException e) {
                say(words[1], "failed " + e);
            }
        }
    }

    private void obey(String[] words) throws IOException {
        String name = words[1];
        switch (words[0]) {
            case "open" -> {
                Socket socket = new Socket();
                socket.setTcpNoDelay(true);
                socket.connect(new InetSocketAddress(words[2], Integer.parseInt(words[3])), 10_000);
                sockets.put(name, socket);
                say(name, "open " + socket.getLocalPort());
            }
            case "get" -> {
                Socket socket = socket(name);
                String request = "GET " + words[2] + " HTTP/1.1\r\nHost: server\r\n\r\n";
                socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
                say(name, "sent");
                Thread.ofVirtual().start(() -> awaitAnswer(name, socket));
            }
            case "close" -> {
                socket(name).close();
                say(name, "closed");
            }
            case "ping" -> {
                boolean reachable = InetAddress.ofLiteral(name).isReachable(5000);
                say(name, reachable ? "reachable" : "unreachable");
            }
            default -> throw new IOException("no command: " + words[0]);
        }
    }

    private Socket socket(String name) throws IOException {
        Socket socket = sockets.get(name);
        if (socket == null) {
            throw new IOException("not open: " + name);
        }
        return socket;
    }

    private static void awaitAnswer(String name, Socket socket) {
        try {
            socket.setSoTimeout(60_000);
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                int c = socket.getInputStream().read();
                if (c < 0) {
                    throw new IOException("end of stream");
                }
                head.append((char) c);
            }
            String lower = head.toString().toLowerCase(java.util.Locale.ROOT);
            int start = lower.indexOf("content-length:") + 15;
            int length = Integer.parseInt(
                    lower.substring(start, lower.indexOf('\r', start)).trim());
            int read = socket.getInputStream().readNBytes(length).length;
            say(name, "answered " + head.substring(9, 12) + " " + read);
        } catch (IOException e) {
            say(name, "failed " + e);
        }
    }

    private static void say(String name, String what) {
        synchronized (System.out) {
            System.out.println(name + " " + what);
            System.out.flush();
        }
    }
}
