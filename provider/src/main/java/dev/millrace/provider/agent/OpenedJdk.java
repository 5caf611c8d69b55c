package dev.millrace.provider.agent;

import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.channels.SelectableChannel;
import java.nio.channels.spi.SelectorProvider;
import java.util.Map;
import java.util.Set;

/**
 * The JDK's internals as the agent opens them. This class is loaded a second time by a class loader of its own, and only that
 * loader's unnamed module is given the rights: the application's own classes see the JDK exactly as without the agent.
 */
public final class OpenedJdk implements JdkAccess {
    /** After the JDK's slots: console, application shutdown hooks, delete-on-exit files. */
    private static final int SHUTDOWN_SLOT = 5;

    /** Called by {@link #open} through reflection. */
    public OpenedJdk() {}

    /** Opens what is needed of {@code java.base}, for an instance of this class and nobody else. */
    static JdkAccess open(Instrumentation instrumentation) throws IOException, ReflectiveOperationException {
        Class<?> own = new OwnLoader().define();
        Set<Module> us = Set.of(own.getModule());
        instrumentation.redefineModule(
                Object.class.getModule(),
                Set.of(),
                Map.of("sun.nio.ch", us, "jdk.internal.access", us),
                Map.of("java.lang", us),
                Set.of(),
                Map.of());
        return (JdkAccess) own.getConstructor().newInstance();
    }

    @Override
    public SelectorProvider kernelProvider() {
        return (SelectorProvider) call(null, "sun.nio.ch.DefaultSelectorProvider", "get", new Class<?>[0]);
    }

    @Override
    public void atTheEnd(Runnable action) {
        Object lang = call(null, "jdk.internal.access.SharedSecrets", "getJavaLangAccess", new Class<?>[0]);
        Class<?>[] types = {int.class, boolean.class, Runnable.class};
        call(lang, "jdk.internal.access.JavaLangAccess", "registerShutdownHook", types, SHUTDOWN_SLOT, false, action);
    }

    @Override
    public void allowNativeAccess() {
        try {
            Method method = Module.class.getDeclaredMethod("implAddEnableNativeAccessToAllUnnamed");
            method.setAccessible(true);
            method.invoke(null);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("this JDK grants native access in another way", e);
        }
    }

    @Override
    public void endDeferredClose(SelectableChannel channel) {
        try {
            if (Class.forName("sun.nio.ch.SelChImpl").isInstance(channel)) {
                call(channel, "sun.nio.ch.SelChImpl", "kill", new Class<?>[0]);
            }
        } catch (ClassNotFoundException e) {
            throw new LinkageError("this JDK has no sun.nio.ch.SelChImpl", e);
        }
    }

    private static Object call(
            @org.jspecify.annotations.Nullable Object target,
            String className,
            String method,
            Class<?>[] types,
            Object... arguments) {
        try {
            return Class.forName(className).getMethod(method, types).invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(className + "." + method + " failed", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("this JDK has no accessible " + className + "." + method, e);
        }
    }

    /** Defines this one class anew, with everything else from the loader that loaded it first. */
    private static final class OwnLoader extends ClassLoader {
        OwnLoader() {
            super("millrace-agent", OpenedJdk.class.getClassLoader());
        }

        Class<?> define() throws IOException {
            String name = OpenedJdk.class.getName();
            try (InputStream stream = OpenedJdk.class.getResourceAsStream("OpenedJdk.class")) {
                if (stream == null) {
                    throw new IOException("the jar lacks " + name);
                }
                byte[] bytes = stream.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            }
        }
    }
}
