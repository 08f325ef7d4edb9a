"""The keys of `laneway top`, over its picture."""

from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widgets import Static

HELP = """\
[b]Rows[/b]
 ↑ ↓ PgUp PgDn Home End   move
 Enter                    show this agent alone below; again: all
 t  F5                    as a tree, beneath who spawned them
 < >  F6                  sort by the next column
 P M T N E                sort by rate, tokens, time, name, errors
 I                        turn the order round
 \\  F4                    only agents whose name holds a text
 /  F3                    go to the next agent whose name holds a text

[b]Below[/b]
 Tab  e                   events, errors, open work

[b]Else[/b]
 Z  Space                 hold the picture still; nothing is missed
 Esc                      undo filter, selection and hold
 h  F1  ?                 this help
 q  F10                   end
"""


class HelpScreen(ModalScreen[None]):
    """Any key closes it."""

    def compose(self) -> ComposeResult:
        yield Static(HELP)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        self.dismiss()

    def on_click(self) -> None:
        self.dismiss()
