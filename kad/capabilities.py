"""Tell which rights are missing: capabilities(7)."""

# <linux/capability.h>
_BITS = {"CAP_NET_ADMIN": 12, "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21}


def missing(*names: str) -> list[str]:
    """Give those of the capabilities that are not effective: proc_pid_status(5)."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        lines = dict(line.split(":", 1) for line in file)
    effective = int(lines["CapEff"], 16)
    return [name for name in names if not effective >> _BITS[name] & 1]
