/** The settings contract: millrace.* properties, agent argument, configuration file; one immutable record. */
@NullMarked
package dev.millrace.provider.settings;

import org.jspecify.annotations.NullMarked;
