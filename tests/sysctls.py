"""Lines of sysctl.d(5), with the time, intvl and probes that the real systemd-sysctl makes of them.

The kernel's defaults, 7200, 75 and 9, are what it found.
"""

NAME = "net.ipv4.tcp_keepalive"
UNTOUCHED = (7200, 75, 9)

LINES = {
    "plain": (f"{NAME}_time = 60\n", (60, 75, 9)),
    "no newline at the end": (f"{NAME}_time = 60", (60, 75, 9)),
    "a dash": (f"-{NAME}_time = 60\n", (60, 75, 9)),
    "a dash and a space": (f"- {NAME}_time = 60\n", (60, 75, 9)),
    "two dashes": (f"--{NAME}_time = 60\n", UNTOUCHED),
    "slashes": ("net/ipv4/tcp_keepalive_time=60\n", (60, 75, 9)),
    "a leading slash": ("/net/ipv4/tcp_keepalive_time=60\n", (60, 75, 9)),
    "two slashes": ("net/ipv4//tcp_keepalive_time=60\n", (60, 75, 9)),
    "a path from the root": ("/proc/sys/net/ipv4/tcp_keepalive_time=60\n", UNTOUCHED),
    "a dot, then a slash": ("net.ipv4/tcp_keepalive_time=60\n", UNTOUCHED),
    "a slash, then a dot": ("net/ipv4.tcp_keepalive_time=60\n", UNTOUCHED),
    "capitals": ("NET.ipv4.tcp_keepalive_time=60\n", UNTOUCHED),
    "a byte-order mark": (f"\ufeff{NAME}_time=60\n", UNTOUCHED),
    "spaces": (f"  {NAME}_time   =   60   \n", (60, 75, 9)),
    "tabs": (f"\t{NAME}_time\t=\t60\t\n", (60, 75, 9)),
    "carriage returns": (f"{NAME}_time = 60\r\n{NAME}_probes = 5\r\n", (60, 75, 5)),
    "a comment behind": (f"{NAME}_time = 60 # a minute\n", (60, 75, 9)),
    "a number behind": (f"{NAME}_time = 60 5\n", (60, 75, 9)),
    "octal": (f"{NAME}_time = 010\n", (8, 75, 9)),
    "hexadecimal": (f"{NAME}_time = 0x20\n", (32, 75, 9)),
    "negative": (f"{NAME}_time = -1\n", (-1, 75, 9)),
    "comments": (f"#{NAME}_time=60\n;{NAME}_time=60\n  # {NAME}_time=60\n", UNTOUCHED),
    "a line that is none": (f"garbage\n{NAME}_time = 60\n", (60, 75, 9)),
    "the later line wins": (f"{NAME}_time = 60\n{NAME}_time = 61\n", (61, 75, 9)),
    "whatever its spelling": (
        f"{NAME}_time = 60\nnet/ipv4/tcp_keepalive_time = 61\n",
        (61, 75, 9),
    ),
    "a glob": (f"{NAME}_* = 60\n", (60, 60, 60)),
    "a glob for a folder": ("net/*/tcp_keepalive_time = 60\n", (60, 75, 9)),
    "a glob stops at a slash": ("net*tcp_keepalive_time = 60\n", UNTOUCHED),
    "a question mark": (f"{NAME}_tim? = 60\n", (60, 75, 9)),
    "brackets": (f"{NAME}_[ti]* = 60\n", (60, 60, 9)),
    "negated brackets": (f"{NAME}_[!t]* = 60\n", (7200, 60, 60)),
    "brackets negated as a regular expression's": (f"{NAME}_[^t]* = 60\n", (7200, 60, 60)),
    "a class in brackets": (f"{NAME}_[[:alpha:]]ime = 60\n", (60, 75, 9)),
    "a class that is none": (f"{NAME}_[[:foo:]]* = 60\n", UNTOUCHED),
    "a backslash in a glob": (f"{NAME}_\\t* = 60\n", (60, 75, 9)),
    "a star behind a backslash": (f"{NAME}_\\** = 60\n", UNTOUCHED),
    "braces without an end": (f"{NAME}_{{t,{{t,i}}* = 60\n", UNTOUCHED),
    "braces in braces": (f"{NAME}_{{t{{i,x}},p}}* = 60\n", (60, 75, 60)),
    "braces in a glob": (f"{NAME}_{{tim*,intvl}} = 60\n", (60, 60, 9)),
    "braces alone": (f"{NAME}_{{time,intvl}} = 60\n", UNTOUCHED),
    "a name wins over a later glob": (f"{NAME}_time = 50\n{NAME}_* = 60\n", (50, 60, 60)),
    "a name kept from a glob": (f"-{NAME}_time\n{NAME}_* = 60\n", (7200, 60, 60)),
    "a name kept from an earlier glob": (f"{NAME}_* = 60\n-{NAME}_time\n", (7200, 60, 60)),
    "a name taken back": (f"{NAME}_time = 50\n-{NAME}_time\n", UNTOUCHED),
    "a name set after all": (f"-{NAME}_time\n{NAME}_time = 50\n", (50, 75, 9)),
    "a glob taken back": (f"{NAME}_* = 60\n-{NAME}_*\n", UNTOUCHED),
    "a repeated glob keeps its turn": (
        f"{NAME}_t* = 60\n{NAME}_ti* = 61\n{NAME}_t* = 60\n",
        (61, 75, 9),
    ),
}
