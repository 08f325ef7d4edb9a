import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.docker.engine import DEPLOY, ROOT, Stack, docker, why_no_engine


@pytest.fixture(scope="session")
def images() -> None:
    """Both images, built of this tree."""
    if not os.environ.get("LANEWAY_DOCKER"):
        pytest.skip("containers change the machine's network under other tests: make test-docker")
    if reason := why_no_engine():
        pytest.fail(reason)
    base = os.environ.get("BASE_IMAGE", "python:3.13-slim")
    for target, tag in (("hub", "laneway:local"), ("demo", "laneway-demo:local")):
        docker(
            "build", "--quiet", "--file", str(ROOT / "deploy/Dockerfile"), "--target", target,
            "--build-arg", f"BASE_IMAGE={base}", "--tag", tag, str(ROOT),
        )  # fmt: skip


@pytest.fixture
def stack(images: None) -> Iterator[Callable[..., Stack]]:
    """Makes stacks, and takes them down with all that they wrote."""
    made: list[Stack] = []

    def make(name: str, *files: str, profile: str = "", directory: Path = DEPLOY) -> Stack:
        made.append(Stack(f"laneway-test-{name}", *files, profile=profile, directory=directory))
        made[-1].down()
        return made[-1]

    yield make
    for one in made:
        left = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={one.name}")
        if left.split():
            docker("rm", "--force", *left.split())
        one.down()
