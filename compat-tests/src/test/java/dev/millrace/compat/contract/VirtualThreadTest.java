package dev.millrace.compat.contract;

import static java.nio.channels.SelectionKey.OP_READ;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Many more virtual threads than carriers wait in channels at once. */
class VirtualThreadTest extends ContractTest {
    @Test
    void hundredsWaitInReadAndAreWokenEach() throws Exception {
        List<Pair> pairs = new ArrayList<>();
        List<Task<String>> readers = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            Pair pair = pair();
            pairs.add(pair);
            readers.add(Task.start(ThreadKind.VIRTUAL, () -> receive(pair.server(), 4)));
        }
        for (Task<String> reader : readers) {
            reader.awaitBlocked();
        }
        for (int i = pairs.size() - 1; i >= 0; i--) {
            send(pairs.get(i).client(), String.format("%04d", i));
            assertEquals(String.format("%04d", i), readers.get(i).result());
        }
    }

    @Test
    void pingPongBetweenVirtualThreads() throws Exception {
        List<Task<Void>> players = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Pair pair = pair();
            players.add(Task.start(ThreadKind.VIRTUAL, () -> {
                for (int round = 0; round < 200; round++) {
                    send(pair.client(), "ping");
                    assertEquals("pong", receive(pair.client(), 4));
                }
                return null;
            }));
            players.add(Task.start(ThreadKind.VIRTUAL, () -> {
                for (int round = 0; round < 200; round++) {
                    assertEquals("ping", receive(pair.server(), 4));
                    send(pair.server(), "pong");
                }
                return null;
            }));
        }
        for (Task<Void> player : players) {
            player.result();
        }
    }

    @Test
    void selectorsInVirtualThreadsLeaveTheCarriersFree() throws Exception {
        List<Task<Integer>> selecting = new ArrayList<>();
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Selector selector = selector();
            Pair pair = pair();
            pairs.add(pair);
            register(pair.server(), selector, OP_READ);
            selecting.add(
                    Task.start(ThreadKind.VIRTUAL, () -> selector.select()).awaitBlocked());
        }
        assertEquals("free", Task.start(ThreadKind.VIRTUAL, () -> "free").result());
        for (int i = 0; i < pairs.size(); i++) {
            send(pairs.get(i).client(), "x");
            assertEquals(1, selecting.get(i).result());
        }
    }
}
