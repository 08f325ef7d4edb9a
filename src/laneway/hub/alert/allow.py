"""Whom the hub may call: the allow-list of the settings."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from laneway.base.errors import HubError, SettingError, quote

Network = IPv4Network | IPv6Network
TUNNELS = (ip_network("64:ff9b::/32"), ip_network("2002::/16"), ip_network("2001::/32"))
"""NAT64, 6to4 and Teredo."""


class Allowed:
    """The hosts and networks of the allow-list.

    A name lets in the public addresses that it has. An address or network lets in itself, whether a URL
    or a name leads there: what is private, loopback or link-local must be listed as such.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._names: set[tuple[str, int]] = set()
        self._networks: list[Network] = []
        for entry in entries:
            self._take(entry)

    def _take(self, entry: str) -> None:
        try:
            self._networks.append(ip_network(entry.strip("[]"), strict=False))
            return
        except ValueError:
            pass
        name, _, port = entry.lower().rpartition(":")
        if not name:
            name, port = entry.lower(), "0"
        if not port.isdigit() or "/" in name or not name.strip("."):
            raise SettingError(
                f"alert_hosts: {quote(entry)} is no host",
                hint="such as hooks.example.com, hooks.example.com:8443, 10.1.2.3 or 10.1.0.0/16",
            )
        try:  # an address with a port
            self._networks.append(ip_network(name.strip("[]")))
        except ValueError:
            self._names.add((name.rstrip("."), int(port)))

    def check_host(self, host: str, port: int) -> None:
        """
        Raises:
            SettingError: neither the name nor the address is in the list.
        """
        name = host.lower().rstrip(".")
        if (name, port) in self._names or (name, 0) in self._names:
            return
        try:
            if self._is_listed(name):
                return
        except ValueError:
            pass
        raise SettingError(
            f"alert_webhooks: {quote(host)} is not among alert_hosts",
            hint="name there whom the hub may call",
        )

    def check_address(self, address: str) -> None:
        """
        Raises:
            HubError: it is not public, and not listed.
        """
        ip = ip_address(address.partition("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        is_public = ip.is_global and not ip.is_multicast
        if any(ip in network for network in TUNNELS if network.version == ip.version):
            is_public = False  # it stands for an IPv4 address, whichever that is
        if not is_public and not self._is_listed(str(ip)):
            raise HubError(
                f"it leads to {ip}, which is not public", hint="list that address in alert_hosts"
            )

    def _is_listed(self, address: str) -> bool:
        ip = ip_address(address.strip("[]").partition("%")[0])
        return any(ip in network for network in self._networks if network.version == ip.version)
