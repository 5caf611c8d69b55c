package dev.millrace.compat.datagram;

import dev.millrace.compat.app.Arguments;
import java.util.Hashtable;
import java.util.Set;
import javax.naming.Context;
import javax.naming.NamingException;
import javax.naming.directory.Attributes;
import javax.naming.directory.DirContext;
import javax.naming.directory.InitialDirContext;

/**
 * Asks a name server through the JDK's own DNS client, which uses datagram channels: {@code NameLookup --server HOST --port 53 --names 100}. Prints the
 * addresses.
 */
public final class NameLookup {
    private NameLookup() {}

    @SuppressWarnings({"BanJNDI", "JdkObsolete"
    }) // JNDI is the one door to the JDK's client; it asks a server of the test's own
    public static void main(String[] args) throws NamingException {
        Arguments arguments = Arguments.parse(args, Set.of("server", "port", "names"));
        Hashtable<String, String> environment = new Hashtable<>();
        environment.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.dns.DnsContextFactory");
        environment.put(
                Context.PROVIDER_URL,
                "dns://" + arguments.text("server", "127.0.0.1") + ":" + arguments.number("port", 53));
        DirContext names = new InitialDirContext(environment);
        for (int i = 0; i < arguments.number("names", 100); i++) {
            Attributes found = names.getAttributes("host" + i + ".millrace.test", new String[] {"A"});
            System.out.println(found.get("A").get());
        }
        names.close();
    }
}
