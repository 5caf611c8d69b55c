package dev.millrace.benchmarks.jmh;

import dev.millrace.stack.memory.Memory;
import dev.millrace.stack.memory.Packet;
import dev.millrace.stack.wire.Checksum;
import dev.millrace.stack.wire.IpAddress;

/**
 * The other end of one TCP connection over IPv4, as small as it can be: it answers ARP, opens the connection to the stack, sends segments,
 * and notes what it is sent. It takes everything for granted and keeps no copies, so that a benchmark measures the stack.
 */
final class Peer implements MemoryPort.Receiver {
    static final int STACK_ADDRESS = 0xc612_0001;
    static final int PEER_ADDRESS = 0xc612_0002;
    static final int STACK_PORT = 7007;

    private static final long MAC = 0x02_00_00_00_00_02L;
    private static final int PEER_PORT = 40_000;
    private static final int WINDOW = 0xffff;

    private static final int ETHERNET = 14;
    private static final int IP = 20;
    private static final int TCP = 20;
    private static final int TIMESTAMP = 12;
    private static final int SYN_OPTIONS = 20;

    private static final int SYN = 2;
    private static final int PSH = 8;
    private static final int ACK = 16;

    private static final IpAddress FROM = IpAddress.v4(PEER_ADDRESS);
    private static final IpAddress TO = IpAddress.v4(STACK_ADDRESS);

    private final MemoryPort port;
    private int sendNext = 0x1000;
    private int receiveNext;
    private int timestamp = 1;
    private int echo;
    private boolean sawSyn;
    private long dataSegments;
    private long pureAcks;
    private long dataBytes;

    Peer(MemoryPort port) {
        this.port = port;
        port.receiver(this);
    }

    /** Data segments that the stack has sent. */
    long dataSegments() {
        return dataSegments;
    }

    /** Bytes in them. */
    long dataBytes() {
        return dataBytes;
    }

    long pureAcks() {
        return pureAcks;
    }

    boolean isSynAcknowledged() {
        return sawSyn;
    }

    // ---- from the stack ----

    @Override
    public void onFrame(Packet frame) {
        long at = frame.address;
        if (Memory.getUnsignedShort(at + 12) == 0x0806) {
            answerArp(at + ETHERNET);
            return;
        }
        int totalBytes = Memory.getUnsignedShort(at + ETHERNET + 2);
        long tcp = at + ETHERNET + IP;
        int headerBytes = (Memory.getUnsignedByte(tcp + 12) >>> 4) * 4;
        int payload = totalBytes - IP - headerBytes;
        int flags = Memory.getUnsignedByte(tcp + 13);
        if ((flags & SYN) != 0) {
            receiveNext = Memory.getInt(tcp + 4) + 1;
            echo = 1;
            sawSyn = true;
        } else {
            echo = Memory.getInt(tcp + TCP + 4);
            receiveNext += payload;
            dataBytes += payload;
            dataSegments += payload > 0 ? 1 : 0;
            pureAcks += payload > 0 ? 0 : 1;
        }
    }

    private void answerArp(long request) {
        if (Memory.getUnsignedShort(request + 6) != 1 || Memory.getInt(request + 24) != PEER_ADDRESS) {
            return;
        }
        Packet frame = port.frame();
        ethernet(frame, 0x0806, 28);
        long arp = frame.address + ETHERNET;
        Memory.putInt(arp, 0x0001_0800);
        Memory.putInt(arp + 4, 0x0604_0002);
        mac(arp + 8, MAC);
        Memory.putInt(arp + 14, PEER_ADDRESS);
        mac(arp + 18, MemoryPort.MAC);
        Memory.putInt(arp + 24, STACK_ADDRESS);
        port.arrive(frame);
    }

    // ---- to the stack ----

    /** The first step of the handshake: MSS 1460, SACK, timestamps, window scale 7. */
    void sendSyn() {
        Packet frame = port.frame();
        long options = segment(frame, SYN, SYN_OPTIONS, 0);
        Memory.putInt(options, 0x0204_05b4);
        Memory.putInt(options + 4, 0x0402_080a);
        Memory.putInt(options + 8, timestamp);
        Memory.putInt(options + 12, 0);
        Memory.putInt(options + 16, 0x0103_0307);
        sendNext++;
        finish(frame);
    }

    /** Acknowledges everything that has arrived. */
    void sendAck() {
        sendData(0);
    }

    /** A segment with {@code length} bytes of payload, in order; it acknowledges everything that has arrived. */
    void sendData(int length) {
        Packet frame = port.frame();
        long options = segment(frame, length > 0 ? PSH | ACK : ACK, TIMESTAMP, length);
        Memory.putInt(options, 0x0101_080a);
        Memory.putInt(options + 4, timestamp);
        Memory.putInt(options + 8, echo);
        sendNext += length;
        finish(frame);
    }

    /** A millisecond has passed on the peer's timestamp clock. */
    void tick() {
        timestamp++;
    }

    /** Writes all headers; returns where the options belong. */
    private long segment(Packet frame, int flags, int optionBytes, int payload) {
        int headerBytes = TCP + optionBytes;
        ethernet(frame, 0x0800, IP + headerBytes + payload);
        long ip = frame.address + ETHERNET;
        Memory.putInt(ip, 0x4500_0000 | IP + headerBytes + payload);
        Memory.putInt(ip + 4, 0x0000_4000);
        Memory.putInt(ip + 8, 0x4006_0000);
        Memory.putInt(ip + 12, PEER_ADDRESS);
        Memory.putInt(ip + 16, STACK_ADDRESS);
        Memory.putShortNative(ip + 10, Checksum.finish(Checksum.add(0, ip, IP)));
        long tcp = ip + IP;
        Memory.putInt(tcp, PEER_PORT << 16 | STACK_PORT);
        Memory.putInt(tcp + 4, sendNext);
        Memory.putInt(tcp + 8, receiveNext);
        Memory.putInt(tcp + 12, headerBytes / 4 << 28 | flags << 16 | WINDOW);
        Memory.putInt(tcp + 16, 0);
        return tcp + TCP;
    }

    private void finish(Packet frame) {
        if (!port.capabilities().rxChecksum()) {
            int bytes = frame.length - ETHERNET - IP;
            long tcp = frame.address + ETHERNET + IP;
            long sum = Checksum.pseudoHeader(FROM, TO, 6, bytes);
            Memory.putShortNative(tcp + 16, Checksum.finish(Checksum.add(sum, tcp, bytes)));
        }
        port.arrive(frame);
    }

    private static void ethernet(Packet frame, int type, int payload) {
        frame.length = ETHERNET + payload;
        mac(frame.address, MemoryPort.MAC);
        mac(frame.address + 6, MAC);
        Memory.putShort(frame.address + 12, type);
    }

    private static void mac(long at, long mac) {
        Memory.putShort(at, (int) (mac >>> 32));
        Memory.putInt(at + 2, (int) mac);
    }
}
