package dev.millrace.compat.simulate;

import dev.millrace.stack.tcp.TcpError;
import dev.millrace.stack.tcp.TcpObserver;
import dev.millrace.stack.tcp.TcpSocket;
import java.nio.ByteBuffer;

/**
 * One side of a {@link Talk}: an application with a socket. It runs only when its observer was called or its own timer is due, so a
 * notification that is never given shows as a talk that never ends. Every byte that it reads is compared.
 */
final class Party extends Application {
    private static final long LOOK_AGAIN_NS = 1_000_000;

    final Talk talk;
    final Talk.Manner manner;

    private final boolean client;
    private final TcpSocket socket;
    private final long sayTotal;
    private final long hearTotal;
    private final ByteBuffer scratch;
    private final byte[] scratchBytes;

    private long said;
    private long heard;
    private long readFromNs;
    private long writeFromNs;
    private boolean connected;
    private boolean outputClosed;
    private boolean endHeard;
    private boolean complete;

    /**
     * @param saidAlready bytes that were given to connect
     * @param heardAlready bytes of the peer's stream that were read to learn which talk this is
     */
    Party(Host host, Talk talk, boolean client, TcpSocket socket, long saidAlready, long heardAlready) {
        super(host);
        this.talk = talk;
        this.client = client;
        this.manner = client ? talk.client : talk.server;
        this.socket = socket;
        this.said = saidAlready;
        this.heard = heardAlready;
        this.sayTotal = client ? talk.requestTotal() : talk.answerTotal();
        this.hearTotal = client ? talk.answerTotal() : talk.requestTotal();
        this.scratch = host.world.scratch;
        this.scratchBytes = host.world.scratchBytes;
        this.readFromNs = host.world.nowNs() + manner.deafNs;
        host.world.conversations.onParty(this, client);
        socket.observer((TcpObserver) () -> host.makeReady(this));
        host.makeReady(this);
    }

    /** It has said and heard everything. */
    boolean isComplete() {
        return complete;
    }

    /** It will do nothing any more, complete or not. */
    boolean isOver() {
        return over;
    }

    @Override
    void run(long nowNs) {
        sleep();
        if (over) {
            return;
        }
        int readiness = socket.readiness();
        if ((readiness & TcpSocket.FAILED) != 0 && socket.readableBytes() == 0) {
            onFailed();
            return;
        }
        if ((readiness & (TcpSocket.CONNECTED | TcpSocket.FAILED)) == 0) {
            return;
        }
        connected = true;
        read(nowNs);
        if (!over) {
            write(nowNs);
        }
        if (!over) {
            end();
        }
    }

    private void read(long nowNs) {
        while (!endHeard && !over) {
            if (nowNs < readFromNs) {
                wakeAt(readFromNs);
                return;
            }
            int count = socket.read(scratch, 0, Math.min(manner.pieceBytes, scratch.capacity()));
            if (count == TcpSocket.END) {
                onEnd();
            } else if (count == TcpSocket.ERROR) {
                onFailed();
                return;
            } else if (count == 0) {
                return;
            } else {
                take(count);
                readFromNs = nowNs + manner.readRestNs;
            }
        }
    }

    private void take(int count) {
        if (heard + count > hearTotal) {
            host.world.fail(this + " heard " + (heard + count) + " bytes of " + hearTotal);
        }
        int same = talk.mismatch(!client, heard, scratchBytes, count);
        if (same < count) {
            host.world.fail(this + " heard another byte at " + (heard + same) + " than was said");
        }
        heard += count;
        host.world.tally.bytes += count;
    }

    private void onEnd() {
        endHeard = true;
        if (heard != hearTotal) {
            host.world.fail(this + " heard the end after " + heard + " bytes of " + hearTotal);
        }
    }

    private void write(long nowNs) {
        long allowed = client ? talk.requestAllowance(heard) : talk.answerAllowance(heard);
        while (said < allowed) {
            if (nowNs < writeFromNs) {
                wakeAt(writeFromNs);
                return;
            }
            int room = Math.clamp(socket.writableBytes(), 1, scratch.capacity());
            int piece = (int) Math.min(Math.min(allowed - said, manner.pieceBytes), room);
            talk.say(client, said, scratchBytes, piece);
            int count = socket.write(scratch, 0, piece);
            if (count == TcpSocket.ERROR) {
                if ((socket.readiness() & TcpSocket.FAILED) == 0) {
                    host.world.fail(this + " could not write, and nothing has failed");
                }
                return; // what has arrived before may still be read
            }
            said += count;
            writeFromNs = nowNs + manner.writeRestNs;
            if (count < piece) {
                if ((socket.readiness() & TcpSocket.WRITABLE) != 0) {
                    wakeAt(nowNs + LOOK_AGAIN_NS); // memory is short, not the buffer: a selector would ask again
                }
                return;
            }
        }
    }

    private void end() {
        if (manner.end == Talk.End.ABORT && said + heard >= manner.abortAfterBytes) {
            host.world.tally.aborted++;
            socket.abort();
            over = true;
            return;
        }
        if (said < sayTotal) {
            return;
        }
        if (manner.end == Talk.End.CLOSE) {
            if (heard == hearTotal) {
                finish();
            }
            return;
        }
        if (!outputClosed) {
            outputClosed = true;
            socket.shutdownOutput();
        }
        int readiness = socket.readiness();
        if (endHeard && (manner.end != Talk.End.LINGER || (readiness & TcpSocket.DRAINED) != 0)) {
            finish();
        } else if (endHeard && (readiness & TcpSocket.GONE) != 0) {
            onFailed(); // a reset in LAST-ACK ends the connection without an error (RFC 9293 §3.10.7.4)
        }
    }

    private void finish() {
        complete = true;
        over = true;
        socket.close();
    }

    /** Somebody is there, as far as can be told: a connect whose SYN waits for data succeeds before anybody has answered. */
    private boolean isAnswered() {
        return connected && (heard > 0 || !client || !host.world.defersConnects(talk));
    }

    private void onFailed() {
        over = true;
        TcpError error = socket.error();
        // a peer that closes at once may have gone before our last ACK or FIN reached it, when it had nothing to wait
        // for
        boolean everything = said == sayTotal && heard == hearTotal;
        // as on Linux, a neighbour that is not found ends an attempt to connect
        boolean unreachable = error == TcpError.HOST_UNREACHABLE && !isAnswered() && host.world.hasFaults();
        if (unreachable) {
            talk.excuse("no neighbour");
        }
        if (host.world.forgetsHandshakes(talk) && (error == TcpError.CONNECTION_RESET || error == TcpError.NONE)) {
            talk.excuse("SYN cookie"); // what overtakes the ACK that brings it is a stranger's (RFC 4987 §3.6)
        }
        if (error == TcpError.CONNECTION_RESET && client && heard == 0 && host.world.gaveUpHandshakes(talk)) {
            // the neighbour did not answer, which ends the entry as on Linux, and its SYN+ACK had arrived
            talk.excuse("half-open entry gone");
        }
        if (error == TcpError.TIMED_OUT && !isAnswered() && host.world.acceptsSlowly(talk)) {
            talk.excuse("crowded"); // others took the few places each time that this one's SYN came by
        }
        if (!talk.isExcused()) {
            host.world.fail(this + " failed: " + error + (everything ? ", after everything was said and heard" : ""));
        }
        host.world.tally.failed++;
        socket.close();
    }

    @Override
    void giveUp(boolean hostLives) {
        if (!over) {
            over = true;
            if (hostLives) {
                socket.abort();
            }
        }
    }

    @Override
    public String toString() {
        return (client ? "client" : "server") + " of " + talk + " on host " + host.index + " (said " + said + " of "
                + sayTotal
                + ", heard " + heard + " of " + hearTotal + (connected ? "" : ", not connected")
                + (endHeard ? ", end heard" : "")
                + (outputClosed ? ", output closed" : "") + ", port " + socket.localPort() + ")";
    }
}
