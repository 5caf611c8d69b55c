package dev.millrace.io.contract;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.port.Port;
import dev.millrace.stack.port.RxQueue;
import dev.millrace.stack.port.TxQueue;
import org.jspecify.annotations.Nullable;

/** A peer that is one queue of a port: of another one, or of the one under test when that leads back to itself. */
public final class PortPeer implements Peer {
    private final RxQueue rx;
    private final TxQueue tx;
    private final Packet[] one = new Packet[1];

    public PortPeer(Port port, int queue) {
        this.rx = port.rx(queue);
        this.tx = port.tx(queue);
    }

    @Override
    public boolean offer(byte[] frame) {
        Packet packet = tx.allocate();
        if (packet == null) {
            return false;
        }
        Memory.copy(frame, 0, packet.address, frame.length);
        packet.length = frame.length;
        one[0] = packet;
        if (tx.transmit(one, 1) == 1) {
            return true;
        }
        tx.release(packet);
        return false;
    }

    @Override
    public byte @Nullable [] poll() {
        if (rx.receive(one, 1) == 0) {
            return null;
        }
        byte[] frame = new byte[one[0].length];
        Memory.copy(one[0].address, frame, 0, frame.length);
        rx.release(one, 1);
        return frame;
    }
}
