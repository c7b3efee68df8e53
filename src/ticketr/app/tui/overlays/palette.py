"""The palette: finds commands, tickets, people, workspaces and statuses by their names. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, final

from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.overlays.base import Overlay, boxed, target
from ticketr.app.tui.overlays.entries import Entry, RunAction, entries_of
from ticketr.app.tui.state import AppState
from ticketr.app.tui.text_input import TextInput
from ticketr.app.tui.theme import Theme
from ticketr.text import clip, fit, width

if TYPE_CHECKING:
    from ticketr.app.tui.step import Step

#: Below this many rows, only what is typed and the entries are shown.
LOW = 10
HINT = "# ticket   @ person   ~ workspace   = status"


@final
@dataclass(frozen=True, slots=True)
class Palette(Overlay):
    """The palette.

    Attributes:
        run_action: Gives the step of a key of the main screen.
        input: What is typed; its first character may say what is looked for.
        at: The index of the selected entry.
    """

    context: ClassVar[Context] = Context.PALETTE
    is_full: ClassVar[bool] = False

    run_action: RunAction
    input: TextInput = field(default_factory=TextInput)
    at: int = 0

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Edit the text, move, complete, or run the selected entry."""
        entries = entries_of(state, self.input.text, self.run_action)
        at = min(self.at, max(0, len(entries) - 1))
        if action is KeyAction.ACCEPT:
            if not entries:
                return state.noticed("Nothing of that name"), ()
            return _run(state, entries[at], now)
        if action is KeyAction.NEXT_PANEL and entries:
            text = self.input.text[:1] if self.input.text[:1] in "#@~=" else ""
            completed = TextInput.of(f"{text}{entries[at].name}")
            return state.replaced(replace(self, input=completed)), ()
        edited = self.input.edited(action)
        if edited is not None:
            return state.replaced(Palette(self.run_action, edited)), ()
        to = target(action, at, 8, max(0, len(entries) - 1))
        return None if to is None else (state.replaced(replace(self, at=to)), ())

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Insert text at the cursor."""
        return state.replaced(Palette(self.run_action, self.input.typed(text))), ()

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells = min(66, max(16, state.width - 6))
        entries = entries_of(state, self.input.text, self.run_action)
        at = min(self.at, max(0, len(entries) - 1))
        count = f"{len(entries)}"
        typed = f" > {self.input.shown(max(4, cells - 6 - width(count)))}"
        is_low = state.body < LOW
        room = max(1, min(len(entries), state.body - (3 if is_low else 5)))
        begin = max(0, min(at - room // 2, len(entries) - room))
        lines = [(f"{fit(typed, cells - width(count) - 1)}{count} ", False)]
        lines += [] if is_low else [("─" * cells, False)]
        for number, entry in enumerate(entries[begin : begin + room], start=begin):
            lines.append((_line(entry, cells, is_selected=number == at), number == at))
        lines += [] if is_low else [(f" {HINT}", False)]
        return boxed(below, ":", lines, 0, cells, state.width, theme)


def _line(entry: Entry, cells: int, *, is_selected: bool) -> str:
    facts = f"not now: {entry.refused}" if entry.refused else entry.facts
    bar = "▌" if is_selected else " "
    facts = clip(facts, max(0, cells // 2))
    name = fit(entry.name, max(1, cells - width(facts) - 3))
    return f"{bar}{name} {facts} "


def _run(state: AppState, entry: Entry, now: float) -> Step:
    if entry.refused:
        return state.noticed(f"Not now: {entry.refused}"), ()
    closed = state.closed()
    return entry.run(closed, now) or (closed.noticed(f"{entry.name}: nothing to do here"), ())
