/** -javaagent entry: sets the provider, opens what is needed, starts or refuses. */
@NullMarked
package dev.millrace.provider.agent;

import org.jspecify.annotations.NullMarked;
