"""Know, of common programs, how keepalive is switched on in them, from their documentation."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple


class Program(NamedTuple):
    """A program by patterns of its unit's or command's name, its option and where that is told."""

    names: tuple[str, ...]
    option: str
    source: str


PROGRAMS = (
    Program(
        ("nginx*", "openresty*"),
        "listen ... so_keepalive=on; towards servers: proxy_socket_keepalive on",
        "https://nginx.org/en/docs/http/ngx_http_core_module.html#listen",
    ),
    Program(
        ("haproxy*",),
        "option clitcpka for clients, option srvtcpka for servers",
        "https://docs.haproxy.org/2.8/configuration.html#4-option%20clitcpka",
    ),
    Program(
        ("postgres*",),
        "keepalive is on; tcp_keepalives_idle = 0, the default, follows the sysctl",
        "https://www.postgresql.org/docs/current/runtime-config-connection.html",
    ),
    Program(
        ("pgbouncer*",),
        "tcp_keepalive = 1, the default; tcp_keepidle unset follows the sysctl",
        "https://www.pgbouncer.org/config.html",
    ),
    Program(
        ("redis*", "valkey*"),
        "tcp-keepalive SECONDS, its own time; 0 turns it off",
        "https://redis.io/docs/latest/operate/oss_and_stack/management/config/",
    ),
    Program(
        ("ssh.*", "sshd*", "ssh@*"),
        "TCPKeepAlive yes, the default",
        "https://man.openbsd.org/sshd_config#TCPKeepAlive",
    ),
    Program(
        ("rabbitmq*",),
        "tcp_listen_options.keepalive = true",
        "https://www.rabbitmq.com/docs/networking#tcp-keepalives",
    ),
    Program(
        ("squid*",),
        "http_port ... tcpkeepalive=IDLE,INTERVAL,TIMEOUT, its own times",
        "https://www.squid-cache.org/Doc/config/http_port/",
    ),
    Program(
        ("envoy*",),
        "tcp_keepalive of a cluster; socket_options of a listener",
        "https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts",
    ),
    Program(
        ("elasticsearch*", "opensearch*"),
        "network.tcp.keep_alive: true, the default",
        "https://www.elastic.co/guide/en/elasticsearch/reference/current/modules-network.html",
    ),
    Program(
        ("tomcat*",),
        'Connector socket.soKeepAlive="true"',
        "https://tomcat.apache.org/tomcat-10.1-doc/config/http.html",
    ),
    Program(
        ("mysql*", "mariadb*"),
        "keepalive is on, in the server and in the C client, and follows the sysctl",
        "https://github.com/mysql/mysql-server/blob/8.0/sql/sql_connect.cc",
    ),
    Program(
        ("mongod*", "mongos*"),
        "keepalive is on, and follows the sysctl up to 300 s",
        "https://www.mongodb.com/docs/manual/faq/diagnostics/",
    ),
    Program(
        ("java", "java.*", "jetty*", "kafka*", "cassandra*"),
        "Socket.setKeepAlive(true) in the program; for PostgreSQL's driver tcpKeepAlive=true",
        "https://jdbc.postgresql.org/documentation/use/",
    ),
    Program(
        ("node", "node.*", "nodejs*"),
        "socket.setKeepAlive(true) in the program",
        "https://nodejs.org/api/net.html#socketsetkeepaliveenable-initialdelay",
    ),
)


def options_for(unit: str, programs: Iterable[Program] = PROGRAMS) -> Program | None:
    """Give the program that a unit or command runs, by its name; None for one not known."""
    known = (one for one in programs if any(fnmatchcase(unit, name) for name in one.names))
    return next(known, None)
