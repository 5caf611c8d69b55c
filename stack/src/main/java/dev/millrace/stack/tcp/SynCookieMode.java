package dev.millrace.stack.tcp;

/** When SYN cookies are sent: Linux' tcp_syncookies. */
public enum SynCookieMode {
    /** 0: a SYN beyond the limits is dropped. */
    OFF,
    /** 1: a SYN beyond the limits of half-open entries is answered with a cookie. */
    ON_OVERFLOW,
    /** 2: every SYN is answered with a cookie; for tests. */
    ALWAYS
}
