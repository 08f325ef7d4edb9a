"""The hub's hold on its courier."""

import subprocess
import sys

PROBE = """
import sys
import laneway.web.runner, laneway.web.server, laneway.hub.worker
print([name for name in sys.modules if name.startswith(("laneway.hub.bus", "nats", "nkeys"))])
"""


def test_a_hub_without_a_bus_loads_nothing_of_it() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
