"""A hook's payload to the hub that runs, with nothing imported but what the interpreter brings.

`laneway connect claude-code` has it run as a file: ``python -I -S quick_hook.py hook claude-code LOG HOME``.
Where no hub answers, `laneway.cli.hook` writes the log itself, which takes several times as long. Nothing is
printed, and the exit code is 0, whatever happens.
"""

import sys

try:
    import _socket as socket  # the module around it costs as much as all else
except ImportError:  # another Python than CPython
    import socket  # type: ignore[no-redef]

MOST_BYTES = 16 * 1024 * 1024
ANSWER_S = 5.0
"""The hub answers within a millisecond; one that hangs must not make hooks pile up."""


def main(args: list[str]) -> bool:
    """Whether Laneway was imported for it."""
    log, home = args[2], args[3]
    body = sys.stdin.buffer.read(MOST_BYTES)
    try:
        if send(body, log, home):
            return False
    except Exception:  # noqa: BLE001, S110 - then the long way
        pass
    try:
        write(body, log, home)
    except BaseException:  # noqa: BLE001, S110 - a hook that fails may stop the agent's turn
        pass
    return True


def send(body: bytes, log: str, home: str) -> bool:
    """Whether the hub has it."""
    with open(f"{log}/.hub.lock", "rb") as file:
        told = file.read(4096)
    host = told.partition(b"http://")[2].partition(b'"')[0]
    name, _, port = host.decode().rpartition(":")
    with open(f"{home}/ingest.token", "rb") as file:
        token = file.read(4096).strip()
    link = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    link.settimeout(ANSWER_S)
    try:
        link.connect(("127.0.0.1" if name == "localhost" else name, int(port)))
        head = (
            b"POST /events HTTP/1.1\r\nHost: %b\r\nAuthorization: Bearer %b\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
            % (host, token, len(body))
        )
        data = memoryview(head + body)
        while data:
            data = data[link.send(data) :]
        return link.recv(64).startswith(b"HTTP/1.1 200")
    finally:
        link.close()


def write(body: bytes, log: str, home: str) -> None:
    """Into the log, by this very installation of Laneway."""
    import gc
    import os
    import time

    gc.disable()  # a tenth of the time went into looking for garbage among what is imported
    received_ns = time.time_ns()
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path.insert(0, source)
    os.environ["LANEWAY_HOME"] = home
    os.environ["LOG_PATH"] = log
    if os.path.exists(f"{home}/config.toml") or any(
        "LANEWAY_REDACT" in name for name in os.environ
    ):
        import site  # rules of redaction of one's own want a package

        site.main()
    from laneway.cli.hook import record

    record((), body, received_ns)

    from laneway.sdk.recorder import shared

    shared.end()


if __name__ == "__main__" and main(sys.argv[1:]):
    import os

    os._exit(0)  # all is written: to take an interpreter with a hundred modules apart takes 3 ms
