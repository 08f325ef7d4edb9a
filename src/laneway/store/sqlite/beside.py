"""Work of SQLite's that needs no interpreter, beside work that does."""

import threading
from collections.abc import Callable, Sequence

import orjson


def run_beside(work: Callable[[], None], meanwhile: Callable[[], None]) -> None:
    """``work`` on a thread, ``meanwhile`` here; returns when both have ended, and raises what ``work``
    raised. The thread begins with ``work`` before ``meanwhile`` is called: `threading.Thread.start`
    waits for it."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised below
            raised.append(error)

    thread = threading.Thread(target=run, name="laneway-index-text", daemon=True)
    thread.start()
    try:
        meanwhile()
    finally:
        thread.join()
    if raised:
        raise raised[0]


def try_json(texts: Sequence[str]) -> str | None:
    """A JSON array from which SQLite reads the very same texts; None where it would not: it ends them at a
    NUL, and lone surrogates are no UTF-8."""
    try:
        joined = orjson.dumps(texts)
    except orjson.JSONEncodeError:
        return None
    return None if NUL in joined else joined.decode()


NUL = b"\\u0000"
"""As orjson writes it. Two characters of a text may look like it: then they are taken for one."""
