"""The token files in the Laneway home, the copies of who uses them: for their owner only."""

import os
from secrets import token_urlsafe

from laneway.base.errors import SettingError
from laneway.log.segment import make_directory
from laneway.log.share import share

TOKEN_BYTES = 32
"""256 bits."""

MIN_CHARS = 16
"""A shorter token can be guessed, or is an empty file."""


def load_or_make(path: str) -> str:
    """The token in ``path``; a new one where there is no file yet. Safe when several start at once.

    Raises:
        SettingError: the file cannot be read or made, or holds no token.
    """
    try:
        if not os.path.exists(path):
            _make(path)
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}", hint="is the home writable?") from error
    return load(path)


def load(path: str) -> str:
    """The token in a file, white space around it removed.

    Raises:
        SettingError: the file cannot be read, or what it holds is too short to be a token.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(4096)
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}") from error
    return check(text.strip(), path)


def check(token: str, origin: str) -> str:
    if len(token) < MIN_CHARS or not (token.isascii() and token.isprintable()) or " " in token:
        raise SettingError(
            f"{origin}: {len(token)} characters are no token",
            hint=f"a token has at least {MIN_CHARS} printable ASCII characters and no spaces",
        )
    return token


def _make(path: str) -> None:
    """A whole file appears under ``path`` or none does; who comes second keeps the first one's."""
    make_directory(os.path.dirname(path))
    draft = f"{path}.{os.getpid()}.{token_urlsafe(6)}"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(fd, "w", encoding="ascii") as file:
            file.write(token_urlsafe(TOKEN_BYTES) + "\n")
            file.flush()
            share(fd, os.path.dirname(path) or ".")
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
