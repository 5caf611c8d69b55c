package dev.millrace.io.dpdk;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.stack.port.LinkException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Runs the control callbacks of net_memif so that none overlaps a burst.
 *
 * <p>When the peer ends, DPDK's interrupt thread runs the driver's callback, which unmaps the rings and closes their descriptors; nothing keeps it from doing so in
 * the middle of a burst, which then reads memory that is gone and takes the JVM down. The driver offers no lock. So its three calls that
 * announce callbacks to DPDK are redirected to here: what is registered is a function of ours, which shuts the {@link BurstGate} of every queue, calls the driver's own,
 * and opens them again. A burst that meets a shut gate is empty; the link's state is the peer's business anyway at that moment.
 *
 * <p>A callback that the driver has withdrawn is not run, even if DPDK was about to: closing a port frees what its callback would use.
 *
 * <p>Callbacks run on DPDK's thread and closing on any; both under the lock of this object, which no burst takes.
 */
final class ControlCallbacks {
    private static final String DRIVER = "librte_net_memif.so";
    private static final Linker LINKER = Linker.nativeLinker();
    private static final FunctionDescriptor CALLBACK = FunctionDescriptor.ofVoid(JAVA_LONG);
    private static final FunctionDescriptor REGISTER = FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final FunctionDescriptor UNREGISTER_PENDING =
            FunctionDescriptor.of(JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle CALL = LINKER.downcallHandle(CALLBACK);

    private static @Nullable ControlCallbacks installed;

    private final List<BurstGate> gates = new CopyOnWriteArrayList<>();
    private final Map<Long, MemorySegment> stubs = new HashMap<>();
    private final Set<Registration> registered = new HashSet<>();
    private final MethodHandle register;
    private final MethodHandle unregister;
    private final MethodHandle unregisterPending;

    /** @param argument tells the driver's objects apart */
    private record Registration(long function, long argument) {}

    private ControlCallbacks() throws LinkException {
        ImportTable imports = ImportTable.of(DRIVER);
        register = redirect(imports, "rte_intr_callback_register", REGISTER, "onRegister");
        unregister = redirect(imports, "rte_intr_callback_unregister", REGISTER, "onUnregister");
        unregisterPending =
                redirect(imports, "rte_intr_callback_unregister_pending", UNREGISTER_PENDING, "onUnregisterPending");
    }

    /** Takes the driver's callbacks over, once; it is loaded, and has registered none yet. */
    static synchronized ControlCallbacks install() throws LinkException {
        ControlCallbacks callbacks = installed;
        if (callbacks == null) {
            callbacks = new ControlCallbacks();
            installed = callbacks;
        }
        return callbacks;
    }

    private MethodHandle redirect(ImportTable imports, String symbol, FunctionDescriptor type, String method)
            throws LinkException {
        return LINKER.downcallHandle(imports.redirect(symbol, stub(method, type)), type);
    }

    private MemorySegment stub(String method, FunctionDescriptor type) {
        return LINKER.upcallStub(handle(method, type.toMethodType()), type, Arena.global());
    }

    private MethodHandle handle(String method, MethodType type) {
        try {
            return MethodHandles.lookup().bind(this, method, type);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError(method, e);
        }
    }

    // ---- bursts ----

    /** For a queue pair whose bursts callbacks shall not overlap. */
    synchronized BurstGate newGate() {
        BurstGate gate = new BurstGate(); // while no callback runs: it would not know of this gate
        gates.add(gate);
        return gate;
    }

    void remove(BurstGate gate) {
        gates.remove(gate);
    }

    /** Runs what must not meet a callback, nor a burst. */
    synchronized void exclusively(Runnable action) {
        gates.forEach(BurstGate::shut);
        try {
            action.run();
        } finally {
            gates.forEach(BurstGate::open);
        }
    }

    // ---- called by the driver, through method handles; an exception here would end the JVM ----

    /** {@code int rte_intr_callback_register(const struct rte_intr_handle *, rte_intr_callback_fn cb, void *cb_arg)} */
    synchronized int onRegister(long handle, long function, long argument) {
        try {
            Registration registration = new Registration(function, argument);
            registered.add(registration);
            int result = (int) register.invokeExact(handle, stubOf(function).address(), argument);
            if (result < 0) {
                registered.remove(registration);
            }
            return result;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@code int rte_intr_callback_unregister(const struct rte_intr_handle *, rte_intr_callback_fn cb, void *cb_arg)} */
    synchronized int onUnregister(long handle, long function, long argument) {
        registered.remove(new Registration(function, argument));
        try {
            return (int) unregister.invokeExact(handle, stubOf(function).address(), argument);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /**
     * {@code int rte_intr_callback_unregister_pending(const struct rte_intr_handle *, rte_intr_callback_fn cb_fn, void *cb_arg,
     * rte_intr_unregister_callback_fn ucb_fn)}
     */
    synchronized int onUnregisterPending(long handle, long function, long argument, long afterwards) {
        registered.remove(new Registration(function, argument));
        try {
            return (int) unregisterPending.invokeExact(handle, stubOf(function).address(), argument, afterwards);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private MemorySegment stubOf(long function) {
        return stubs.computeIfAbsent(function, address -> {
            MethodHandle run = handle("run", MethodType.methodType(void.class, MemorySegment.class, long.class));
            return LINKER.upcallStub(
                    MethodHandles.insertArguments(run, 0, MemorySegment.ofAddress(address)), CALLBACK, Arena.global());
        });
    }

    /** {@code void (*rte_intr_callback_fn)(void *cb_arg)}, of the driver. */
    synchronized void run(MemorySegment function, long argument) {
        if (registered.contains(new Registration(function.address(), argument))) {
            exclusively(() -> call(function, argument));
        }
    }

    private static void call(MemorySegment function, long argument) {
        try {
            CALL.invokeExact(function, argument);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** A downcall itself throws nothing; only the JVM can fail here. */
    private static AssertionError unexpected(Throwable e) {
        return new AssertionError("downcall failed", e);
    }
}
