"""A real NATS cluster on loopback: three servers that can be killed, stopped and started again."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from tests.port import free_port
from tests.waiting import eventually

SERVER = Path(sys.executable).with_name("nats-server")


class Node:
    """One server with a directory of its own."""

    def __init__(
        self,
        name: str,
        directory: Path,
        host: str,
        ports: tuple[int, int, int],
        routes: list[str],
        more: str,
    ) -> None:
        self.name = name
        self.host = host
        self.prefix: list[str] = []
        self.port, self.monitor, route = ports
        self.process: subprocess.Popen[bytes] | None = None
        self._output = directory / f"{name}.out"
        self._config = directory / f"{name}.conf"
        peers = ", ".join(f'"nats://{place}"' for place in routes)
        cluster = (
            f'cluster {{ name: "test", listen: "{host}:{route}", routes: [{peers}] }}'
            if len(routes) > 1
            else ""
        )
        self._config.write_text(
            f'server_name: "{name}"\nlisten: "{host}:{self.port}"\n'
            f'http: "{host}:{self.monitor}"\n{cluster}\n'
            f'jetstream {{ store_dir: "{directory / name}", max_file_store: 2GB }}\n{more}\n'
        )

    @property
    def url(self) -> str:
        return f"nats://{self.host}:{self.port}"

    def start(self) -> None:
        with self._output.open("ab") as out:
            command = [*self.prefix, str(SERVER), "-c", str(self._config)]
            self.process = subprocess.Popen(command, stdout=out, stderr=out)

    def signal(self, number: int) -> None:
        assert self.process
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        assert self.process
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()

    def is_up(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(
            f"http://{self.host}:{self.monitor}{path}", timeout=5
        ) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def is_ready(self) -> bool:
        try:
            return self.ask("/healthz").get("status") == "ok"
        except OSError:
            return False

    def stream(self, name: str = "laneway") -> dict[str, Any]:
        """What this server knows of the stream; nothing while it knows of none."""
        try:
            accounts = self.ask("/jsz?streams=1&consumers=1")["account_details"]
        except (OSError, KeyError):
            return {}
        streams = [one for account in accounts for one in account.get("stream_detail") or ()]
        return next((one for one in streams if one["name"] == name), {})


class Cluster:
    """``size`` servers; with one there is no cluster."""

    def __init__(
        self, directory: Path, size: int = 3, more: str = "", hosts: Sequence[str] = ()
    ) -> None:
        """``more`` is added to each server's configuration. Without ``hosts`` all are on loopback."""
        directory.mkdir(parents=True, exist_ok=True)
        hosts = hosts or ["127.0.0.1"] * size
        ports = [free_port() for _ in range(3 * size)]
        routes = [f"{host}:{port}" for host, port in zip(hosts, ports[2::3], strict=True)]
        self.nodes = [
            Node(f"n{i}", directory, host, (ports[3 * i], ports[3 * i + 1], ports[3 * i + 2]),
                 routes, more)
            for i, host in enumerate(hosts)
        ]  # fmt: skip

    @property
    def urls(self) -> str:
        return ",".join(node.url for node in self.nodes)

    def start(self) -> None:
        for node in self.nodes:
            if not node.is_up():
                node.start()
        self.wait_ready()

    def wait_ready(self) -> None:
        """All that run are well, and know who leads."""
        eventually(
            lambda: all(node.is_ready() for node in self.nodes if node.is_up()),
            "the cluster",
        )

    def leader(self) -> Node:
        """The server that leads the stream."""

        def leader() -> Node | None:
            for node in self.nodes:
                told = node.stream().get("cluster", {}).get("leader") if node.is_up() else None
                if told:
                    return next(one for one in self.nodes if one.name == told)
            return None

        return cast(Node, eventually(leader, "a server that leads the stream"))

    def close(self) -> None:
        for node in self.nodes:
            if node.process:
                node.kill()


@contextmanager
def running(directory: Path, size: int = 3, more: str = "") -> Iterator[Cluster]:
    cluster = Cluster(directory, size, more)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
