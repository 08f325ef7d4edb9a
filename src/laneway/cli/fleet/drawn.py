"""What stands on the screen already: a widget that is told the same again draws itself all the same."""

from rich.text import Text


class Drawn:
    """Texts by their places."""

    def __init__(self) -> None:
        self._known: dict[object, tuple[object, ...]] = {}

    def is_new(self, place: object, text: Text) -> bool:
        """Whether ``text`` is another than the last one there, or looks otherwise."""
        look = (text.plain, text.style, *text.spans)
        if self._known.get(place) == look:
            return False
        self._known[place] = look
        return True
