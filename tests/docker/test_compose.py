"""What `deploy/` ships, on a real Docker Engine: `make test-docker`."""

import json
import os
import re
import subprocess
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.docker.engine import ROOT, Stack, docker
from tests.e2e.conftest import browser as browser
from tests.waiting import eventually

MakeStack = Callable[..., Stack]
IS_LONG = os.environ.get("LANEWAY_DOCKER") == "long"
COUNT = 4000 if IS_LONG else 600
PAUSE_S = 0.005

pytestmark = pytest.mark.timeout(900)
long_form = pytest.mark.skipif(not IS_LONG, reason="the long form: `make test-docker`")


def once(count: int) -> Counter[int]:
    return Counter(range(count))


def link_of(stack: Stack) -> str:
    found = re.search(r"http://\S+#code=\S+", docker("logs", stack.container("logger")))
    assert found
    return found.group()


def lanes_in(browser: Browser, link: str, wanted: set[str]) -> set[str]:
    page = browser.new_page()
    page.goto(link)
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    page.wait_for_function(
        "(wanted) => wanted.every(name => window.__laneway.agents().some(lane => lane.name === name))",
        arg=sorted(wanted),
        timeout=90_000,
    )
    names = {lane["name"] for lane in page.evaluate("() => window.__laneway.agents()")}
    page.close()
    return names


def test_agents_over_http_are_lanes_in_the_browser(stack: MakeStack, browser: Browser) -> None:
    stack = stack("http", profile="demo")
    stack.up()
    link = link_of(stack)
    assert link.startswith(stack.url)
    assert {"assistant", "planner"} <= lanes_in(browser, link, {"assistant", "planner"})
    again = stack.laneway("open").strip()
    assert again.startswith(f"{stack.url}/logs#code=")
    lanes_in(browser, again, {"assistant"})


@long_form
def test_agents_on_the_volume_are_lanes_in_the_browser(stack: MakeStack, browser: Browser) -> None:
    stack = stack("volume", "compose.volume.yaml", profile="demo")
    stack.up()
    assert {"assistant", "planner"} <= lanes_in(browser, link_of(stack), {"assistant", "planner"})
    environment = docker("inspect", stack.container("assistant"))
    assert "LOGGING_URL=http" not in environment


def test_a_killed_hub_a_cut_network_and_a_new_image_lose_nothing(stack: MakeStack) -> None:
    stack = stack("faults")
    stack.up()
    hub, network = stack.container("logger"), f"{stack.name}_default"
    agents = [stack.start_agent(f"load{n}", COUNT, PAUSE_S) for n in range(3)]

    docker("kill", "--signal", "KILL", hub)
    stack.up()
    docker("network", "disconnect", network, agents[0])
    docker("network", "connect", network, agents[0])
    docker("tag", "laneway:local", "laneway:next")
    docker("tag", "laneway-demo:local", "laneway-demo:next")
    stack.up(LANEWAY_TAG="next")
    assert "laneway:next" in docker("inspect", hub)

    for said in stack.finish(agents):
        assert "'lost': {}" in said
    for n in range(3):
        eventually(lambda n=n: len(stack.numbers(f"load{n}")) >= COUNT, "all events are indexed")  # type: ignore[misc]
        assert stack.numbers(f"load{n}") == once(COUNT)


def test_containers_of_any_user_write_one_volume(stack: MakeStack) -> None:
    stack = stack("users", "compose.volume.yaml")
    stack.up()
    users = {"root": "0", "other": "1234", "same": "10001"}
    agents = [
        stack.start_agent(name, COUNT, PAUSE_S, user=user, on_volume=True)
        for name, user in users.items()
    ]
    docker("kill", "--signal", "KILL", stack.container("logger"))
    docker("kill", "--signal", "KILL", agents.pop())
    stack.up()
    for said in stack.finish(agents):
        assert "'lost': {}" in said
    for name in ("root", "other"):
        eventually(lambda name=name: len(stack.numbers(name)) >= COUNT, "all are indexed")  # type: ignore[misc]
        assert stack.numbers(name) == once(COUNT)


def test_a_volume_that_fills_up_under_agents_loses_nothing(stack: MakeStack) -> None:
    """Over HTTP and on the volume; the hub is killed while there is no space, and comes back to none."""
    stack = stack("full")
    stack.limit_volume("96m")
    stack.up()
    holder = stack.hold_volume()
    agents = [stack.start_agent(f"sender{n}", COUNT, PAUSE_S) for n in range(2)]
    agents.append(stack.start_agent("writer", COUNT, PAUSE_S, on_volume=True))
    eventually(lambda: bool(stack.numbers("sender0")), "the first events")

    ballast = "/mnt/data/logs/ballast"
    fill = f"dd if=/dev/zero of={ballast} bs=64k; dd if=/dev/zero bs=1 >>{ballast}"
    docker("exec", holder, "sh", "-c", fill, is_expected=False)
    eventually(lambda: stack.health() == "failing", "the hub tells that there is no space")
    docker("kill", "--signal", "KILL", stack.container("logger"))
    docker("start", stack.container("logger"))
    eventually(lambda: stack.health() == "failing", "the hub is back, and there is no space")
    docker("exec", holder, "rm", ballast)
    eventually(lambda: stack.health() == "ok", "the hub goes on by itself")

    for said in stack.finish(agents):
        assert "'lost': {}" in said
    for name in ("sender0", "sender1", "writer"):
        eventually(lambda name=name: len(stack.numbers(name)) >= COUNT, "all are indexed")  # type: ignore[misc]
        assert stack.numbers(name) == once(COUNT)


@long_form
def test_a_clean_clone_comes_up_with_one_command(
    stack: MakeStack, browser: Browser, tmp_path: Path
) -> None:
    clone = tmp_path / "laneway"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", clone], check=True)
    stack = stack("clone", profile="demo", directory=clone / "deploy")
    stack.up("--build")
    assert {"assistant", "planner"} <= lanes_in(browser, link_of(stack), {"assistant", "planner"})


@long_form
def test_two_stacks_do_not_mix(stack: MakeStack) -> None:
    left, right = stack("left"), stack("right")
    left.up()
    right.up()
    left.finish([left.start_agent("one", 5, 0)])
    right.finish([right.start_agent("two", 5, 0)])
    for ours, own, other in ((left, "one", "two"), (right, "two", "one")):
        eventually(lambda ours=ours, own=own: len(ours.numbers(own)) == 5, "they are there")  # type: ignore[misc]
        assert not ours.numbers(other)


@long_form
def test_a_backup_of_the_volume_comes_back_whole(stack: MakeStack) -> None:
    """The commands of docs/docker.md, with the hub running."""
    stack = stack("backup")
    stack.up()
    stack.finish([stack.start_agent("kept", 50, 0)])
    eventually(lambda: len(stack.numbers("kept")) == 50, "they are there")
    volume, archive = f"{stack.name}_ai_logs", "/backup/logs.tar"
    run = [
        "run",
        "--rm",
        "--user",
        "0",
        "--entrypoint",
        "tar",
        "-v",
        f"{stack.name}-backup:/backup",
    ]
    docker(
        *run, "-v", f"{volume}:/mnt/data/logs:ro", "laneway:local",
        "-C", "/mnt/data/logs", "--exclude", ".index", "-cf", archive, ".",
    )  # fmt: skip
    stack.down()
    stack.compose("create")
    docker(
        *run,
        "-v",
        f"{volume}:/mnt/data/logs",
        "laneway:local",
        "-C",
        "/mnt/data/logs",
        "-xpf",
        archive,
    )
    stack.up()
    eventually(lambda: len(stack.numbers("kept")) == 50, "they are back")
    assert stack.numbers("kept") == once(50)
    docker("volume", "rm", f"{stack.name}-backup")


def test_the_hub_runs_with_no_rights_and_ends_cleanly(stack: MakeStack) -> None:
    stack = stack("rights")
    stack.up()
    hub = stack.container("logger")
    facts = json.loads(docker("inspect", hub))[0]
    assert facts["HostConfig"]["ReadonlyRootfs"]
    assert docker("exec", hub, "id", "-u").strip() == "10001"
    assert "CapEff:\t0000000000000000" in docker("exec", hub, "cat", "/proc/1/status")
    with urllib.request.urlopen(f"{stack.url}/health") as answer:
        assert answer.status == 200
    stack.compose("stop", "--timeout", "20")
    state = json.loads(docker("inspect", hub))[0]["State"]
    assert state["ExitCode"] == 0
    assert "everything received is in the log" in docker("logs", hub)


@long_form
def test_the_image_of_a_fleet_has_the_clients_of_nats_and_clickhouse(images: None) -> None:
    base = os.environ.get("BASE_IMAGE", "python:3.13-slim")
    docker(
        "build", "--quiet", "--file", str(ROOT / "deploy/Dockerfile"), "--target", "hub",
        "--build-arg", f"BASE_IMAGE={base}", "--build-arg", "LOCK=fleet",
        "--tag", "laneway-fleet:local", str(ROOT),
    )  # fmt: skip
    check = "import nats, nkeys, clickhouse_connect"
    docker("run", "--rm", "--entrypoint", "python", "laneway-fleet:local", "-c", check)
    check_size("laneway-fleet:local")


@pytest.mark.parametrize("tag", ["laneway:local", "laneway-demo:local"])
def test_an_image_is_small(images: None, tag: str) -> None:
    check_size(tag)


def check_size(tag: str) -> None:
    base = os.environ.get("BASE_IMAGE", "python:3.13-slim")
    sizes = [int(docker("image", "inspect", "-f", "{{.Size}}", name)) for name in (tag, base)]
    print(f"{tag}: {(sizes[0] - sizes[1]) / 1e6:.0f} MB above {base}")
    assert sizes[0] - sizes[1] < 150e6
