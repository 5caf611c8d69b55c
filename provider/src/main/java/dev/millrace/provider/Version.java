package dev.millrace.provider;

/** Which Millrace this is. */
public final class Version {
    private Version() {}

    /** The version in the jar's manifest; {@code development} for classes outside a jar. */
    public static String text() {
        String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
