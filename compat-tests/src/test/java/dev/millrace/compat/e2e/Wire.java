package dev.millrace.compat.e2e;

import dev.millrace.compat.lab.Lab;
import dev.millrace.compat.lab.Namespace;

/**
 * Two namespaces with a link between them: {@code host}, whose end of the link belongs to Millrace, and {@code peer}, whose end is
 * the kernel's. In {@code host} the kernel has no address on the link, so whatever is answered there was answered by Millrace.
 *
 * @param settings the agent's argument that makes Millrace use the link, with an address of each family
 */
record Wire(Namespace host, Namespace peer, String settings) {
    static final String HOST4 = "198.18.0.1";
    static final String HOST6 = "fd00:18::1";
    static final String PEER4 = "198.18.0.2";
    static final String PEER6 = "fd00:18::2";

    private static final String ADDRESS = ";address=" + HOST4 + "/24," + HOST6 + "/64";
    private static final String HOST_DEVICE = "mr0";
    private static final String PEER_DEVICE = "peer0";

    /** The ways in which Millrace reaches a link of the kernel's. */
    enum Kind {
        TAP("tap:" + HOST_DEVICE),
        DPDK_AF_PACKET("dpdk:net_af_packet0,iface=" + HOST_DEVICE),
        DPDK_AF_XDP("dpdk:net_af_xdp0,iface=" + HOST_DEVICE);

        private final String link;

        Kind(String link) {
            this.link = link;
        }

        Wire connect(Lab lab) {
            Namespace host = lab.namespace("h");
            Namespace peer = lab.namespace("p");
            if (this == TAP) {
                lab.bridgedTap(host, HOST_DEVICE, peer, PEER_DEVICE);
            } else {
                lab.veth(host, HOST_DEVICE, peer, PEER_DEVICE);
                host.leaveToUserspace(HOST_DEVICE);
            }
            if (Applications.ORACLE) {
                String device = this == TAP ? "br" + HOST_DEVICE : HOST_DEVICE;
                host.succeed("sysctl", "-qw", "net.ipv6.conf." + device + ".disable_ipv6=0");
                host.address(device, HOST4 + "/24");
                host.address(device, HOST6 + "/64");
            }
            peer.address(PEER_DEVICE, PEER4 + "/24");
            peer.address(PEER_DEVICE, PEER6 + "/64");
            return new Wire(host, peer, "link=" + link + ADDRESS);
        }
    }

    /** Both of the host's addresses, as they stand in a URL. */
    static String[] hosts() {
        return new String[] {HOST4, "[" + HOST6 + "]"};
    }
}
