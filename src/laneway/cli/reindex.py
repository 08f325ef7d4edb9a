"""``laneway reindex``: the index built anew from the log, with the same answers."""

from time import monotonic

from laneway.base.settings import resolve
from laneway.base.words import number_of
from laneway.cli import option
from laneway.cli.terminal import Terminal
from laneway.log.segment import LogPath


def command(log: option.Log = None) -> None:
    """Build the index anew from the log, which is the truth and is not touched.

    Queries answer as before. Not while a hub runs on this log: stop it first.
    """
    from laneway.cli.progress import progress
    from laneway.hub.engine import index_path
    from laneway.hub.hub import reindex

    settings = resolve({"log_path": log})
    LogPath.parse(settings.log_path).require()
    begun_s = monotonic()
    with progress("reindexing") as show:
        count = reindex(settings, lambda _events, left_bytes: show(left_bytes))
    took_s = monotonic() - begun_s
    Terminal().print(
        f"{number_of(count, 'event')} indexed in {took_s:.1f} s: {index_path(settings)}"
    )
