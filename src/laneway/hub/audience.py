"""Who looks at the live stream: its viewers, and the sieves and excerpts that some of them share."""

from collections.abc import Collection, Sequence

from laneway.base.errors import HubError
from laneway.base.limits import CLIENTS
from laneway.hub import frame as wire
from laneway.hub.excerpt import Excerpt
from laneway.hub.frame import Frame
from laneway.hub.ring import Row
from laneway.hub.viewer import Form, Sieve, Viewer
from laneway.store.query.expr import Expr
from laneway.store.query.match import Subject

GOING_AWAY, COME_BACK = 1001, 1012
"""WebSocket close codes (RFC 6455 and the registry): the hub stops, or begins anew."""


class Audience:
    """Every method needs the lock of `laneway.hub.live.Live`."""

    def __init__(self) -> None:
        self._viewers: set[Viewer] = set()
        self._counts: dict[Form, int] = dict.fromkeys(("frame", "excerpt", "json", "seqs"), 0)
        self._sieves: dict[Expr, Sieve] = {}
        self._excerpts: dict[Expr, Excerpt] = {}

    def __len__(self) -> int:
        return len(self._viewers)

    def wants(self, form: Form) -> bool:
        return self._counts[form] > 0

    @property
    def has_excerpts(self) -> bool:
        return bool(self._excerpts)

    @property
    def wants_subjects(self) -> bool:
        """Whether somebody looks at events one by one."""
        return bool(self._sieves or self._excerpts)

    def check_room(self) -> None:
        """
        Raises:
            HubError: there are too many viewers.
        """
        if len(self._viewers) >= CLIENTS:
            raise HubError(f"{CLIENTS} viewers are connected already", hint="close some of them")

    def enter(self, viewer: Viewer) -> None:
        self._viewers.add(viewer)
        self._counts[viewer.form] += 1
        if viewer.excerpt:
            viewer.excerpt.viewer_count += 1

    def leave(self, viewer: Viewer) -> None:
        if viewer in self._viewers:
            self._remove(viewer)
            if viewer.sieve:
                self._leave_sieve(viewer.sieve)
            if viewer.excerpt:
                self.leave_excerpt(viewer.excerpt)

    def dismiss(self, code: int) -> None:
        """Let everybody go."""
        for viewer in self._viewers:
            viewer.close(code)
        self._viewers.clear()
        self._counts = dict.fromkeys(self._counts, 0)
        self._sieves.clear()
        self._excerpts.clear()

    def enter_sieve(self, sieve: Sieve) -> Sieve:
        """The one of its query, with a viewer more."""
        shared = self._sieves.setdefault(sieve.where, sieve)
        shared.viewer_count += 1
        return shared

    def excerpt(self, where: Expr) -> Excerpt | None:
        return self._excerpts.get(where)

    def keep_excerpt(self, excerpt: Excerpt) -> None:
        self._excerpts[excerpt.where] = excerpt

    def leave_excerpt(self, excerpt: Excerpt) -> None:
        excerpt.viewer_count -= 1
        if not excerpt.viewer_count and self._excerpts.get(excerpt.where) is excerpt:
            self.drop_excerpt(excerpt.where)

    def drop_excerpt(self, where: Expr) -> None:
        self._excerpts.pop(where, None)

    def end_excerpts(self) -> None:
        """The index has events that they have not heard of: their viewers come back, and all is read anew."""
        for excerpt in list(self._excerpts.values()):
            self._end_excerpt(excerpt)

    def offer(self, frames: Sequence[Frame], *forms: Form) -> None:
        for viewer in self._viewers:
            if viewer.form in forms:
                viewer.offer(frames)

    def offer_chosen(
        self, lines: Sequence[Frame], subjects: Sequence[Subject], since: int, until: int
    ) -> None:
        """The events of seqs ``[since, until)`` one by one; they go through each sieve once, for all of its
        viewers."""
        for viewer in self._viewers:
            if viewer.form == "json" and not viewer.sieve:
                viewer.offer(lines)
        for sieve in self._sieves.values():
            found = sieve.find(subjects)
            told = wire.hits(since, until, found)
            chosen = _only(lines, found)
            for viewer in self._viewers_of(sieve):
                viewer.offer([told] if viewer.form == "seqs" else chosen)

    def offer_excerpts(self, rows: Sequence[Row], subjects: Sequence[Subject], until: int) -> None:
        """The same events, of the seqs before ``until``, as far as each excerpt shows them."""
        for excerpt in list(self._excerpts.values()):
            excerpt.take(rows, subjects)
            if frame := excerpt.flush(until):
                for viewer in self._viewers_of(excerpt):
                    viewer.offer([frame])
            if excerpt.is_crowded:
                self._end_excerpt(excerpt)

    def _viewers_of(self, shared: Sieve | Excerpt) -> list[Viewer]:
        return [one for one in self._viewers if one.sieve is shared or one.excerpt is shared]

    def _remove(self, viewer: Viewer) -> None:
        self._viewers.remove(viewer)
        self._counts[viewer.form] -= 1

    def _leave_sieve(self, sieve: Sieve) -> None:
        sieve.viewer_count -= 1
        if not sieve.viewer_count:
            del self._sieves[sieve.where]

    def _end_excerpt(self, excerpt: Excerpt) -> None:
        del self._excerpts[excerpt.where]
        for viewer in self._viewers_of(excerpt):
            viewer.close(COME_BACK)
            self._remove(viewer)


def _only(frames: Sequence[Frame], seqs: Collection[int]) -> list[Frame]:
    wanted = set(seqs)
    return [frame for frame in frames if frame.since in wanted]
