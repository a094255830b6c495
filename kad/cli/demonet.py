"""Make a network of four namespaces: two hosts, a firewall between, and a peer that may vanish.

They are held open by this process alone, and so are gone with it, however it ends.
"""

import ctypes
import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from threading import Thread
from types import TracebackType
from typing import Self, TypeVar

from kad.core.errors import KadError
from kad.namespaces.entering import inside
from kad.namespaces.finding import Found

_CLONE_NEWNET = 0x40000000  # <linux/sched.h>
_Answer = TypeVar("_Answer")

PLAIN, KEPT, FIREWALL, PEER = "without kad", "with kad", "firewall", "peer"
STAYS, VANISHES = "10.9.0.2", "10.9.0.3"
FORGETS_S = 4
_ADDRESSES = {PLAIN: "10.9.1.2", KEPT: "10.9.2.2", PEER: STAYS}
_RULES = """\
table inet kad_demo {
  chain way {
    type filter hook forward priority 0; policy drop
    ct state established,related accept
    ct state new accept
  }
}
"""
# Without tcp_loose it takes no connection for new that is in the middle.
_CONNTRACK = {"tcp_timeout_established": FORGETS_S, "tcp_loose": 0}


class Network:
    """The four namespaces by name; `firewall` tells whether nftables could make one."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._files: dict[str, int] = {}
        self.firewall = False

    def __enter__(self) -> Self:
        try:
            for name in (PLAIN, KEPT, FIREWALL, PEER):
                self._files[name] = _new_namespace()
                self._stack.callback(os.close, self._files[name])
            self._connect()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def within(self, name: str, ask: Callable[[], _Answer]) -> _Answer:
        """Ask in one of them; a program that is started there stays there."""
        inode = os.fstat(self._files[name]).st_ino
        return inside(Found(inode, (self.file(name),), name, ()), ask)

    def file(self, name: str) -> str:
        """Give the path of a file that leads into one of them."""
        return f"/proc/{os.getpid()}/fd/{self._files[name]}"

    def vanish(self) -> None:
        """Have what is sent to the one address swallowed without a word."""
        self._told(FIREWALL, f"ip route add blackhole {VANISHES}/32")

    def _connect(self) -> None:
        for name in (PLAIN, KEPT, FIREWALL, PEER):
            self._told(name, "ip link set lo up")
        for number, (name, address) in enumerate(_ADDRESSES.items()):
            gateway = address.rpartition(".")[0] + ".1"
            file = self.file(name)
            self._told(FIREWALL, f"ip link add v{number} type veth peer name uplink netns {file}")
            self._told(FIREWALL, f"ip address add {gateway}/24 dev v{number}")
            self._told(FIREWALL, f"ip link set v{number} up")
            self._told(name, f"ip address add {address}/24 dev uplink")
            self._told(name, "ip link set uplink up")
            self._told(name, f"ip route add default via {gateway}")
        self._told(PEER, f"ip address add {VANISHES}/24 dev uplink")
        self.within(FIREWALL, partial(_write, "net/ipv4/ip_forward", 1))
        self.firewall = self._made_firewall()

    def _made_firewall(self) -> bool:
        """Make the firewall one that forgets; tell whether nft is there and works."""
        try:
            self._told(FIREWALL, "nft -f -", _RULES)
            for name, value in _CONNTRACK.items():
                self.within(FIREWALL, partial(_write, f"net/netfilter/nf_conntrack_{name}", value))
        except (KadError, OSError):
            return False
        return True

    def _told(self, name: str, command: str, text: str = "") -> None:
        self.within(name, partial(_run, command.split(), text))


def _write(sysctl: str, value: int) -> None:
    with open(f"/proc/sys/{sysctl}", "w", encoding="ascii") as file:
        file.write(str(value))


def _run(command: list[str], text: str) -> None:
    try:
        subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise KadError(f"{command[0]}: not installed (Debian package iproute2)") from error
    except subprocess.CalledProcessError as error:
        raise KadError(f"{' '.join(command)}: {error.stderr.strip()}") from error


def _new_namespace() -> int:
    """Make a network namespace in a thread that then ends; give a descriptor that holds it."""
    made: list[int | OSError] = []

    def make() -> None:
        if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) < 0:
            made.append(OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno())))
        else:
            made.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))

    thread = Thread(target=make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise KadError(f"cannot make a network namespace: {made[0].strerror}")
    return made[0]
