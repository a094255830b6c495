"""Name what the command meets outside of its arguments: exit statuses, variables, files."""

from kad.core.errors import DeniedError, KadError, PolicyError, UsageError

EXIT_STATUS = {
    0: "Success: done, nothing to change, or in force.",
    1: "Not in force, drifted or degraded; changes to make; no daemon running or no answer.",
    UsageError.exit_status: "Usage error.",
    3: "kad status: the values are in force, but no daemon is running.",
    KadError.exit_status: "Any other failure, including a bug.",
    DeniedError.exit_status: "Permission denied; the message names what is missing.",
    PolicyError.exit_status: "Policy invalid or missing.",
    130: "Interrupted from the keyboard; kad run then exits 0, and --watch with its last status.",
}

ENVIRONMENT = {
    "KAD_POLICY": "The policy file, if neither an argument nor --policy names one.",
    "NO_COLOR": "If set and not empty, output is not coloured.",
    "TERM": "If dumb, output is neither coloured nor redrawn in place.",
    "RUNTIME_DIRECTORY": "The directory of the lock and the state file, instead of /run/kad: "
    "systemd.exec(5).",
    "STATE_DIRECTORY": "The directory of the last good policy, instead of /var/lib/kad: "
    "systemd.exec(5).",
    "NOTIFY_SOCKET": "Where the daemon reports readiness and its state: sd_notify(3).",
    "WATCHDOG_USEC": "How often the service manager expects a watchdog message; the loop that "
    "does the work sends it: sd_watchdog_enabled(3).",
    "WATCHDOG_PID": "The process that WATCHDOG_USEC is meant for.",
    "JOURNAL_STREAM": "Shows whether stderr is the journal; if so, kad sends native entries: "
    "systemd.exec(5).",
    "LISTEN_PID": "The process that file descriptors were passed to: sd_listen_fds(3).",
    "LISTEN_FDS": "The number of these descriptors.",
    "LISTEN_FDNAMES": "The names of the descriptors that were passed; the parameters' files can be "
    "among them: OpenFile= in systemd.service(5).",
    "KAD_BOOT_ID": "The boot ID, if the unit hides /proc/sys: %b in systemd.unit(5).",
    "SUDO_UID": "The user who called sudo(8); may own a policy named on the command line.",
}

FILES = {
    "/etc/kad/policy.toml, policy.yaml, policy.yml": "The policy; only one may exist: "
    "kad-policy(5).",
    "/proc/sys/net/ipv4/tcp_keepalive_time, _intvl, _probes": "The parameters: tcp(7).",
    "/run/kad/status.json": "The daemon's state, as printed by kad status --json; replaced "
    "atomically, at least once a minute, or at each check if those are rarer. If kad is not in PID "
    "1's network namespace, the file is in /run/kad/net-INODE.",
    "/run/kad/lock": "Locked while the daemon runs: F_GETLK of fcntl(2) gives its pid.",
    "/var/lib/kad/policy.json": "The last good policy.",
    "/var/lib/kad/originals.json": "The values that kad found before its first write since boot.",
    "/var/lib/kad/namespaces.json": "The same for other network namespaces, and which of them "
    "were set on purpose. Without it, a restarted kad takes its own values for set on purpose.",
    "/usr/share/kad/policy.toml": "The policy that the packages install.",
    "/usr/share/kad/policy.schema.json": "The JSON Schema printed by kad schema.",
    "/usr/share/kad/dropins": "Drop-ins for kad.service; each says what it is for.",
    "/usr/share/doc/kad/examples": "Policies for clouds, containers, databases and laptops.",
}


def exit_statuses() -> str:
    """Give the exit statuses as lines of help."""
    return "\n".join(f"  {status:>3}  {meaning}" for status, meaning in EXIT_STATUS.items())
