"""A service manager's own command, run and answered for."""

import subprocess

from laneway.base.errors import LanewayError

PATIENCE_S = 90.0
"""A restart waits for the hub to end, which its unit gives 30 s."""


def ask(*command: str, check: bool = True) -> str:
    """What it printed; without ``check`` also where it failed, or is not there.

    Raises:
        LanewayError: with ``check``: it is not there, failed, or did not answer.
    """
    line = " ".join(command)
    try:
        done = subprocess.run(  # noqa: S603 - our own words, and no shell
            command, capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        if not check:
            return ""
        reason = error.strerror if isinstance(error, OSError) else "no answer"
        raise LanewayError(f"`{line}`: {reason}") from error
    if check and done.returncode:
        said = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
        raise LanewayError(f"`{line}`: {said}")
    return done.stdout
