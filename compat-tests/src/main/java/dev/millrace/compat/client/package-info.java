/** Clients that verify every byte they receive: a load generator on kernel sockets, and the JDK's HttpClient. */
@NullMarked
package dev.millrace.compat.client;

import org.jspecify.annotations.NullMarked;
