"""Name what the command meets outside of its arguments: exit statuses, variables, files."""

from kad.core.errors import DeniedError, KadError, PolicyError, UsageError

EXIT_STATUS = {
    0: "Good: done, or as it should be.",
    1: "Not as it should be: not in force, drifted or degraded; changes to make; no daemon to ask.",
    UsageError.exit_status: "Wrong usage.",
    3: "The values are in force, but no daemon keeps them so: kad status.",
    KadError.exit_status: "Any other failure, a bug included.",
    DeniedError.exit_status: "No permission; the message names what is missing.",
    PolicyError.exit_status: "An invalid policy, or none.",
    130: "Interrupted from the keyboard.",
}

ENVIRONMENT = {
    "KAD_POLICY": "The policy file, where neither an argument nor --policy names one.",
    "NO_COLOR": "Where it is set and not empty, no output is coloured.",
    "TERM": "Where it is dumb, no output is coloured, and none drawn over.",
    "RUNTIME_DIRECTORY": "Where the lock and the state file lie, instead of /run/kad: "
    "systemd.exec(5).",
    "STATE_DIRECTORY": "Where the last good policy is kept, instead of /var/lib/kad: "
    "systemd.exec(5).",
    "NOTIFY_SOCKET": "Where the daemon tells that it is ready, and its state: sd_notify(3).",
    "WATCHDOG_USEC": "How soon the service manager wants a sign of life from the loop that does "
    "the work: sd_watchdog_enabled(3).",
    "WATCHDOG_PID": "The process that WATCHDOG_USEC is meant for.",
    "JOURNAL_STREAM": "Tells whether stderr is the journal, which then gets whole entries: "
    "systemd.exec(5).",
    "LISTEN_PID": "The process that file descriptors were passed to: sd_listen_fds(3).",
    "LISTEN_FDS": "The number of these descriptors.",
    "LISTEN_FDNAMES": "The names of the descriptors that were passed, the parameters' files among "
    "them, as OpenFile= of systemd.service(5) does it.",
    "KAD_BOOT_ID": "This boot's id, where the unit hides /proc/sys: %b of systemd.unit(5).",
    "SUDO_UID": "Who called sudo(8): a policy named on the command line may belong to that user.",
}

FILES = {
    "/etc/kad/policy.toml, policy.yaml, policy.yml": "The policy, one of the three: kad-policy(5).",
    "/proc/sys/net/ipv4/tcp_keepalive_time, _intvl, _probes": "The parameters: tcp(7).",
    "/run/kad/status.json": "The daemon's state, as kad status --json prints it; replaced as one, "
    "at least once a minute or with each check. In another network namespace than that of PID 1 "
    "it lies in /run/kad/net-INODE.",
    "/run/kad/lock": "Locked while the daemon lives: fcntl(2) with F_GETLK tells its pid.",
    "/var/lib/kad/policy.json": "The last good policy.",
    "/var/lib/kad/originals.json": "What kad found before it first wrote since boot.",
    "/var/lib/kad/namespaces.json": "The same of other network namespaces, and which somebody set "
    "on purpose. Without it kad's own values are taken for somebody's after a restart.",
    "/usr/share/kad/policy.toml": "The policy that the packages install.",
    "/usr/share/kad/policy.schema.json": "The JSON Schema that kad schema prints.",
    "/usr/share/kad/dropins": "Drop-ins for kad.service; each tells what it is for.",
    "/usr/share/doc/kad/examples": "Policies for clouds, containers, databases and laptops.",
}


def exit_statuses() -> str:
    """Give the exit statuses as lines of help."""
    return "\n".join(f"  {status:>3}  {meaning}" for status, meaning in EXIT_STATUS.items())
