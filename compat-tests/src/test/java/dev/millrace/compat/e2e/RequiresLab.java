package dev.millrace.compat.e2e;

import dev.millrace.compat.lab.Lab;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Needs network namespaces: skipped, with its reason, for a user without privilege. As root it is required: whatever else is missing
 * makes it fail. {@code -Dcompat.require.lab=true} requires it of everybody.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(RequiresLab.Condition.class)
@interface RequiresLab {
    /** Decides before the test's own code runs. */
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            if (Lab.isPermitted() || Boolean.getBoolean("compat.require.lab")) {
                return ConditionEvaluationResult.enabled("may make network namespaces");
            }
            return ConditionEvaluationResult.disabled(
                    "needs root, to make network namespaces: run ./millrace test as root");
        }
    }
}
