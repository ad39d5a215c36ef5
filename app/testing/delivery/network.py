"""Four hosts on one machine: network namespaces with host names of their own, joined by a switch in a fifth.

Nothing is added to the machine's own network. Needs root and iproute2.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_NETWORK = "10.98.0"
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Host:
    """One of the hosts; ``namespace`` is its name on this machine."""

    name: str
    namespace: str
    address: str

    @property
    def inside(self) -> tuple[str, ...]:
        """The words before a command that is to run on this host; no process is added."""
        rename = 'hostname "$0" && exec "$@"'
        return ("ip", "netns", "exec", self.namespace, "unshare", "--uts", "sh", "-c", rename, self.name)


@dataclass(frozen=True, slots=True)
class Network:
    """The hosts by name, and the namespace of the switch between them."""

    hosts: dict[str, Host]
    switch: str

    def cut_off(self, host: Host) -> None:
        """What is sent to or from it vanishes from now on: its cable looks good, nobody gets a reset."""
        _ip("-n", self.switch, "link", "set", host.name, "nomaster")

    def join(self, host: Host) -> None:
        """It can be reached again."""
        _ip("-n", self.switch, "link", "set", host.name, "master", "bridge")


@contextmanager
def network(*names: str) -> Iterator[Network]:
    """Hosts of these names (at most 15 letters) for the block."""
    prefix = f"wizamart-{os.getpid()}"
    found = Network(
        {
            name: Host(name, f"{prefix}-{name}", f"{_NETWORK}.{number}")
            for number, name in enumerate(names, 1)
        },
        f"{prefix}-switch",
    )
    made = []
    try:
        for namespace in (found.switch, *(host.namespace for host in found.hosts.values())):
            _ip("netns", "add", namespace)
            made.append(namespace)
        _ip("-n", found.switch, "link", "add", "bridge", "type", "bridge")
        _ip("-n", found.switch, "link", "set", "bridge", "up")
        for host in found.hosts.values():
            _plug_in(host, found.switch)
        yield found
    finally:
        for namespace in made:
            _ip("netns", "delete", namespace)


def _plug_in(host: Host, switch: str) -> None:
    there, here = ("-n", host.namespace), ("-n", switch)
    _ip(*there, "link", "set", "lo", "up")
    _ip(*there, "link", "add", "eth0", "type", "veth", "peer", "name", host.name, "netns", switch)
    _ip(*there, "address", "add", f"{host.address}/24", "dev", "eth0")
    _ip(*there, "link", "set", "eth0", "up")
    _ip(*here, "link", "set", host.name, "master", "bridge", "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=_SECONDS)
