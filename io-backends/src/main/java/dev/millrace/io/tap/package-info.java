/** The link {@code tap:<interface>}: a kernel tap interface, no DPDK needed. */
@NullMarked
package dev.millrace.io.tap;

import org.jspecify.annotations.NullMarked;
