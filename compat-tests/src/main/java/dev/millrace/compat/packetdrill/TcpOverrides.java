package dev.millrace.compat.packetdrill;

import dev.millrace.stack.tcp.TcpConfig;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Changes to components of {@link TcpConfig}, or of records in it, by name, so that a sysctl is a line in a table and not a method. One
 * thread.
 */
final class TcpOverrides {
    /** The engine's longest timeout (RFC 6298 §2.5), and so the largest minimum. */
    private static final long MAX_RTO_NS = 120_000_000_000L;

    private final Map<String, String> values = new LinkedHashMap<>();

    /**
     * @param component its name
     * @param value a whole number, true or false, or an enum constant's name in any case
     * @throws UnsupportedConstructException the engine's configuration has no such component, or not that value
     */
    void set(String component, String value, String asked) {
        RecordComponent found = find(TcpConfig.class, component);
        if (found == null) {
            throw new UnsupportedConstructException(asked);
        }
        Object converted = convert(found.getType(), value, asked);
        if (component.equals("minRtoNs") && ((long) converted < 1 || (long) converted > MAX_RTO_NS)) {
            throw new UnsupportedConstructException(asked);
        }
        values.put(component, value);
    }

    /** What a component is changed to, empty when it is not. */
    String get(String component) {
        return values.getOrDefault(component, "");
    }

    /** Whether the engine's configuration has such a component. */
    boolean has(String component) {
        return find(TcpConfig.class, component) != null;
    }

    private static @Nullable RecordComponent find(Class<?> in, String name) {
        for (RecordComponent each : in.getRecordComponents()) {
            RecordComponent found = each.getType().isRecord() ? find(each.getType(), name) : null;
            if (each.getName().equals(name) || found != null) {
                return found != null ? found : each;
            }
        }
        return null;
    }

    /** The configuration with every change made. */
    TcpConfig applyTo(TcpConfig config) {
        try {
            return (TcpConfig) changed(config);
        } catch (InvocationTargetException e) {
            throw new ScriptException("the engine refuses " + values + ": " + e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("TcpConfig is no public record", e);
        }
    }

    private Object changed(Object config) throws ReflectiveOperationException {
        RecordComponent[] components = config.getClass().getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        Object[] arguments = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            String value = values.get(components[i].getName());
            if (value != null) {
                arguments[i] = convert(types[i], value, components[i].getName());
            } else {
                Object old = Objects.requireNonNull(components[i].getAccessor().invoke(config));
                arguments[i] = types[i].isRecord() ? changed(old) : old;
            }
        }
        return config.getClass().getDeclaredConstructor(types).newInstance(arguments);
    }

    private static Object convert(Class<?> type, String value, String asked) {
        try {
            if (type == int.class) {
                return Integer.parseInt(value);
            }
            if (type == long.class) {
                return Long.parseLong(value);
            }
            if (type == boolean.class) {
                return value.equals("1") || value.equals("true");
            }
        } catch (NumberFormatException e) {
            throw new UnsupportedConstructException(asked);
        }
        for (Object constant : Objects.requireNonNullElse(type.getEnumConstants(), new Object[0])) {
            if (((Enum<?>) constant).name().equals(value.toUpperCase(Locale.ROOT))) {
                return constant;
            }
        }
        throw new UnsupportedConstructException(asked);
    }
}
