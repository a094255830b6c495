"""Write a policy's values as others understand them."""

from collections.abc import Mapping

from kad.core.errors import ascii_line
from kad.core.parameters import Parameter

_POD = """\
# For spec: of a pod without hostNetwork. The three are among the sysctls that a cluster allows by
# itself since Kubernetes 1.29, on nodes with Linux 4.5 or later.
securityContext:
  sysctls:
"""


def as_sysctl_d(file: str, values: Mapping[Parameter, int]) -> str:
    """Give a file of sysctl.d(5); `file` is the policy's."""
    head = (
        f"# {_origin(file)}\n"
        "# For hosts without kad: as /etc/sysctl.d/90-keepalive.conf, then systemctl restart "
        "systemd-sysctl.\n"
    )
    return head + "".join(f"{name} = {values[name]}\n" for name in Parameter if name in values)


def as_pod(file: str, values: Mapping[Parameter, int]) -> str:
    """Give the securityContext of a pod; `file` is the policy's."""
    sysctls = (
        f'    - name: {name}\n      value: "{values[name]}"\n'
        for name in Parameter
        if name in values
    )
    return f"# {_origin(file)}\n{_POD}" + "".join(sysctls)


def _origin(file: str) -> str:
    return ascii_line(f"Made by kad export from {file}")


FORMATS = {"sysctl.d": as_sysctl_d, "kubernetes": as_pod}
