package dev.millrace.compat;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Repeatable;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The rule that a test keeps: a labelled requirement ({@code RFC 9293 MUST-14}) or a row of the engine's list of duties ({@code tcp.md:
 * SYN flood}), spelt as in {@code stack/src/test/resources/dev/millrace/stack/conformance}. {@code stack/CONFORMANCE.md} is made from
 * these. On a class it holds for each test of the class. The same as the stack's, whose tests this module cannot see.
 */
@Documented
@Repeatable(Rule.Several.class)
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface Rule {
    String value();

    /** Where javac puts more than one. */
    @Documented
    @Retention(RetentionPolicy.RUNTIME)
    @Target({ElementType.METHOD, ElementType.TYPE})
    @interface Several {
        Rule[] value();
    }
}
