"""``laneway compress``: the sealed segments of the log compressed now, with or without a hub."""

from collections.abc import Callable
from typing import Annotated

import typer

from laneway.base.settings import resolve
from laneway.cli import option
from laneway.cli.terminal import Terminal


def command(
    log: option.Log = None,
    settled: Annotated[
        str,
        typer.Option(
            "--settled", metavar="TIME", help="Only what was not written for so long: 10m, 0."
        ),
    ] = "10m",
) -> None:
    """Compress the sealed segments of the log now, instead of waiting for the hub.

    Never the live segment, and never a log of somebody else. It may be stopped at any moment:
    nothing is lost. `zstdcat` and `rg -z` read the result, and so do all commands here.
    """
    from laneway.base.settings import parse_duration_s
    from laneway.cli.amount import show_bytes
    from laneway.log.compress import compress, find_sealed, sweep
    from laneway.log.segment import LogPath
    from laneway.log.series import list_private

    terminal = Terminal()
    log_path = LogPath.parse(resolve({"log_path": log}).log_path)
    log_path.require()
    sealed = [
        segment
        for series in (log_path, *list_private(log_path))
        for segment in find_sealed(series, settled_s=_parse(settled, parse_duration_s))
    ]
    if sealed:
        sweep(log_path.directory)
    for segment in sealed:
        packed = compress(log_path.directory, segment)
        if packed is None:
            terminal.print(f"{segment}: left alone, something is still at work on it")
        else:
            sizes = f"{show_bytes(packed.raw_bytes)} → {show_bytes(packed.packed_bytes)}"
            terminal.print(f"{segment}: {sizes} ({packed.packed_bytes / packed.raw_bytes:.0%})")
    if not sealed:
        terminal.print(f"nothing to compress in {log_path.directory}")


def _parse(text: str, parse: Callable[[str], float]) -> float:
    try:
        return parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--settled") from None
