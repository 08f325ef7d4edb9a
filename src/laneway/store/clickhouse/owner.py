"""The name under which the tables belong to one log."""

import os
import uuid

from laneway.base.errors import StoreError
from laneway.log.text import open_private

OWNER_FILE = "owner"


def read_owner(directory: str) -> str:
    """The name in the index's directory, made where there is none; empty without a directory."""
    if not directory:
        return ""
    path = os.path.join(directory, OWNER_FILE)
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except FileNotFoundError:
        name = uuid.uuid4().hex
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: {error}") from None
    with open(path, "w", encoding="ascii", opener=open_private) as file:
        file.write(f"{name}\n")
    return name
