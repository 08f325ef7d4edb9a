"""A hub in a process of its own, to be killed. Prints its address when it is ready."""

import sys

from laneway.base.settings import resolve
from laneway.web.server import serve

if __name__ == "__main__":
    home, log_path = sys.argv[1:3]
    serve(
        resolve({"home": home, "log_path": log_path, "port": 0}, env={}),
        on_ready=lambda ready: print(ready.url, flush=True),
    )
