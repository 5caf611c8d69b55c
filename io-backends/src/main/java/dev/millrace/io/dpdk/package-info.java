/**
 * The link {@code dpdk:<device>}: any DPDK poll mode driver, called from Java without C.
 *
 * <p>Where to start reading: {@code Dpdk} is the raw layer, {@code Eal} the environment, {@code DpdkPort} a port, {@code DpdkQueue} the path of a packet.
 */
@NullMarked
package dev.millrace.io.dpdk;

import org.jspecify.annotations.NullMarked;
