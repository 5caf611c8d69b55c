/**
 * Whole networks of stacks from one seed: hosts, links that fail in every way, applications, attackers. One thread, a virtual clock, no
 * sleeping; the same seed gives the same run, bit for bit.
 */
@NullMarked
package dev.millrace.compat.simulate;

import org.jspecify.annotations.NullMarked;
