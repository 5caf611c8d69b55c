package dev.millrace.stack.tcp;

/**
 * Where other systems' TCP differs from Linux' in what scripts written for them look at. They exist for packet scripts: no setting of
 * Millrace leads here, every connection outside them has {@link #NONE}, and each is asked for only where something rare has happened, a SYN, a
 * RST, an ICMP error. Immutable.
 *
 * @param timeWaitAnswersAll in TIME-WAIT segments without ACK are answered, too (RFC 9293 §3.10.7.4, first: their sequence number is looked at before);
 *     FreeBSD is silent
 * @param windowIsBuffer the window that a RST or SYN must lie in reaches as far as the receive buffer, which has room for a whole number of
 *     segments, and not only as far as a header could tell (FreeBSD's rcv_wnd)
 * @param resetInWindow a RST anywhere in the window ends the connection, as before RFC 5961 §3 (FreeBSD's insecure_rst)
 * @param synInWindow as well a SYN, with a RST in answer, as RFC 793 has it (FreeBSD's insecure_syn)
 * @param synFinIsSyn a SYN with FIN is a SYN, and its FIN waits to be sent again (FreeBSD without drop_synfin)
 * @param synTextKept text that comes with the SYN in SYN-SENT is kept until the handshake is complete (RFC 9293 §3.10.7.3); Linux leaves it to be sent again
 * @param refusedByFilter an ICMP error ends a connect when it comes from the peer or a filter, or when the hop limit ran out; that there is no
 *     route may pass (RFC 1122 §4.2.3.9)
 * @param synSlopNs what each timeout of a SYN or SYN+ACK but the first is longer than the double of the one before (FreeBSD's rexmit_slop)
 * @param ecnSynRetries how many SYNs sent again still ask for ECN (RFC 3168 §6.1.1.1; FreeBSD's ecn.maxretries)
 */
public record Quirks(
        boolean timeWaitAnswersAll,
        boolean windowIsBuffer,
        boolean resetInWindow,
        boolean synInWindow,
        boolean synFinIsSyn,
        boolean synTextKept,
        boolean refusedByFilter,
        long synSlopNs,
        int ecnSynRetries) {
    /** Linux. */
    public static final Quirks NONE = new Quirks(true, false, false, false, false, false, false, 0, 0);
}
