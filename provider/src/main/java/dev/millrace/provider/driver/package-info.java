/** Who runs the cores: the lease, the inline, dedicated and manual drivers, the caretaker. */
@NullMarked
package dev.millrace.provider.driver;

import org.jspecify.annotations.NullMarked;
