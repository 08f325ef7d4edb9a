"""Put another content in the place of a small file that one process writes: all of it or none."""

import os

from laneway.log.text import open_private


def replace_file(path: str, data: bytes, *, is_synced: bool = False) -> None:
    """Whoever reads meanwhile has the old content or the new. ``is_synced``: it is on the disk before it
    has the name; else a power cut can leave a file that is empty.

    Raises:
        OSError: it cannot be written; what was there is there still.
    """
    draft = f"{path}.new"
    with open(draft, "wb", opener=open_private) as file:
        file.write(data)
        if is_synced:
            file.flush()
            os.fsync(file.fileno())
    os.replace(draft, path)
