package dev.millrace.compat.packetdrill;

import java.util.List;
import java.util.Map;

/**
 * A script that has been read.
 *
 * @param options its lines {@code --name=value}; the value is empty where there is none
 */
record Script(Map<String, String> options, List<Event> events) {}
