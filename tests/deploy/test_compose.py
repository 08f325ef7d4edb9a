"""The Compose files that stand on top of `compose.yaml`: read by Compose itself where it is there."""

import os
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
OVERLAYS = ["compose.clickhouse.yaml", "compose.nats.yaml", "compose.secrets.yaml"]


def read(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


@pytest.mark.parametrize("name", OVERLAYS)
def test_compose_reads_the_file_on_top_of_the_stack(name: str, tmp_path: Path) -> None:
    compose = shutil.which("docker")
    if (
        not compose
        or subprocess.run([compose, "compose", "version"], capture_output=True).returncode
    ):
        pytest.skip("Docker Compose is not here")
    secret = tmp_path / "secret"
    secret.write_text("x")
    env = os.environ | {
        "CLICKHOUSE_PASSWORD": "p",
        "CLUSTER_SECRET": "s",
        "NATS_TOKEN": str(secret),
        "INGEST_TOKEN": str(secret),
    }
    files = [flag for one in ("compose.yaml", name) for flag in ("-f", str(DEPLOY / one))]
    done = subprocess.run(
        [compose, "compose", *files, "config", "--quiet"], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["compose.clickhouse.yaml", "compose.nats.yaml"])
def test_the_hub_waits_for_all_servers_and_its_image_has_their_client(name: str) -> None:
    made = read(name)
    logger = made["services"].pop("logger")
    servers = {one for one in made["services"] if one != "keeper"}
    assert set(logger["depends_on"]) == servers
    assert logger["build"]["args"] == {"LOCK": "fleet"}
    lock = (DEPLOY.parent / "locks" / "fleet.txt").read_text()
    assert "nats-py" in lock
    assert "clickhouse-connect" in lock


def test_the_two_shards_are_in_the_cluster_that_the_hub_names() -> None:
    made = read("compose.clickhouse.yaml")
    cluster = ElementTree.fromstring(made["configs"]["cluster"]["content"])
    ElementTree.fromstring(made["configs"]["keeper"]["content"])
    hosts = [found.text for found in cluster.findall("./remote_servers/laneway/shard/replica/host")]
    assert hosts == ["clickhouse-1", "clickhouse-2"]
    assert set(hosts) <= set(made["services"])
    assert "cluster=laneway&" in made["services"]["logger"]["environment"]["LANEWAY_STORE"]
    shards = [made["services"][host]["environment"]["SHARD"] for host in hosts if host]
    assert shards == ["1", "2"]


def test_every_nats_server_knows_all_three_and_the_hub_does_too() -> None:
    made = read("compose.nats.yaml")
    for name in ("nats-1", "nats-2", "nats-3"):
        (command,) = made["services"][name]["command"]
        assert f"nats://{name}:6222" in command
        assert f"nats://{name}:4222" in made["services"]["logger"]["environment"]["LANEWAY_BUS"]
