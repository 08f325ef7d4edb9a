"""Ports for servers that are told theirs."""

import itertools
import os
import random
import socket

FIRST, STEPS, WORKERS = 10_240, 1_400, 16
"""Below those that a system gives to whoever connects (Linux: from 32,768). One of them may be taken between
asking and serving, or while a server is down; and who calls it meanwhile may be connected with itself.
Workers of one run each have every sixteenth; other runs on the machine began elsewhere."""

_step = itertools.count(random.SystemRandom().randrange(STEPS))


def free_port() -> int:
    """One that nobody listens at, and that this process gives nobody else for long."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    while True:
        port = FIRST + next(_step) % STEPS * WORKERS + worker
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
