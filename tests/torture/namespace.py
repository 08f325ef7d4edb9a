"""Hosts on a network of their own, inside this machine: any two of them can be cut off from each other."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

SUBNET = "10.213.77"
OUTSIDE = f"{SUBNET}.254"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Network:
    """``size`` hosts, each a network namespace with an address; this process reaches all of them."""

    def __init__(self, size: int) -> None:
        self._name = f"lw{os.getpid() % 100_000}"
        self.addresses = [f"{SUBNET}.{number}" for number in range(1, size + 1)]

    def prefix(self, number: int) -> list[str]:
        """Starts a command on host ``number``."""
        return ["ip", "netns", "exec", self._host(number)]

    def cut(self, number: int) -> None:
        """No packet passes between this host and the others, while it still reaches us, and we it."""
        self._change(number, "add")

    def mend(self, number: int) -> None:
        self._change(number, "del")

    def _change(self, number: int, verb: str) -> None:
        for other, address in enumerate(self.addresses):
            if other != number:
                self._route(number, verb, address)
                self._route(other, verb, self.addresses[number])

    def _route(self, number: int, verb: str, address: str) -> None:
        _ip("-n", self._host(number), "route", verb, "blackhole", f"{address}/32")

    def _host(self, number: int) -> str:
        return f"{self._name}n{number}"

    def open(self) -> None:
        """A macvlan, for a bridge's packets may be dropped by the rules that Docker makes."""
        _ip("link", "add", self._name, "type", "veth", "peer", "name", f"{self._name}p")
        _ip("link", "set", self._name, "up")
        _ip("link", "set", f"{self._name}p", "up")
        self._connect(f"{self._name}h", OUTSIDE)
        for number, address in enumerate(self.addresses):
            host, card = self._host(number), f"{self._name}v{number}"
            _ip("netns", "add", host)
            self._connect(card, address, host)
            _ip("-n", host, "link", "set", "lo", "up")

    def _connect(self, card: str, address: str, host: str = "") -> None:
        _ip("link", "add", card, "link", self._name, "type", "macvlan", "mode", "bridge")
        if host:
            _ip("link", "set", card, "netns", host)
        there = ["-n", host] if host else []
        _ip(*there, "addr", "add", f"{address}/24", "dev", card)
        _ip(*there, "link", "set", card, "up")

    def close(self) -> None:
        for number in range(len(self.addresses)):
            subprocess.run(["ip", "netns", "del", self._host(number)], capture_output=True)
        subprocess.run(["ip", "link", "del", self._name], capture_output=True)


@contextmanager
def network(size: int) -> Iterator[Network]:
    """
    Raises:
        OSError, CalledProcessError: this machine lets nobody make namespaces.
    """
    made = Network(size)
    try:
        made.open()
        yield made
    finally:
        made.close()
