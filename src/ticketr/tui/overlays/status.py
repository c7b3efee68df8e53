"""Waits for the statuses that an issue can take, then lists them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ticketr.sync import FieldChange
from ticketr.text import clean
from ticketr.tui import effects, messages
from ticketr.tui.keymap import Context, KeyAction
from ticketr.tui.overlays.base import PlainOverlay
from ticketr.tui.overlays.box import boxed
from ticketr.tui.overlays.choice import Choice, Option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticketr.sync import IssuePlace
    from ticketr.tui.messages import Message
    from ticketr.tui.state import AppState
    from ticketr.tui.step import Step
    from ticketr.tui.theme import Theme


@final
@dataclass(frozen=True, slots=True)
class AskingStatus(PlainOverlay):
    """Jira is asked for the statuses that an issue can take; Esc cancels the request.

    Attributes:
        workspace: The name of its workspace.
        place: Where the issue stands.
        title: Its title, cleaned.
        status: Its status, as the file has it.
        seen: The statuses in the files of the workspace, listed if Jira does not answer.
    """

    workspace: str
    place: IssuePlace
    title: str
    status: str
    seen: tuple[str, ...]

    @property
    def context(self) -> Context:
        """The place whose keys have a meaning."""
        return Context.CHOICE

    @property
    def is_full(self) -> bool:
        """Whether it hides everything below it."""
        return False

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Cancel the request; there is nothing to take yet."""
        if action is KeyAction.ESCAPE:
            return state.closed(), (effects.StopAsking(self.workspace),)
        if action is KeyAction.ACCEPT:
            return state.noticed("Jira has not answered yet; Esc goes back"), ()
        return None

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """List the statuses; without an answer, those of the files."""
        match message:
            case messages.StatusesRead(self.workspace, self.place.key, statuses, problem):
                return _answered(state, self, statuses, problem), ()
            case _:
                return None

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells = min(64, max(16, state.width - 8))
        words = f" Asking Jira what {self.place.key} can become..."
        return boxed(below, "Status", [(words, False)], 0, cells, state.width, theme)


def status_choice(asked: AskingStatus, statuses: Sequence[str]) -> Choice:
    """Return the list of the statuses to choose from."""

    def chosen(state: AppState, index: int) -> Step:
        change = FieldChange("Status", statuses[index])
        return state, (effects.ChangeField(asked.workspace, asked.place, change),)

    options = tuple(
        Option(clean(each), "now" if each.casefold() == asked.status.casefold() else "")
        for each in statuses
    )
    return Choice(f"Status of {asked.place.key or asked.title}", options, chosen)


def _answered(
    state: AppState, asked: AskingStatus, statuses: tuple[str, ...], problem: str
) -> AppState:
    if not problem and not statuses:
        return state.without(asked).noticed("Jira allows no other status from here")
    listed = asked.seen if problem else statuses
    if not listed:
        return state.without(asked).noticed(problem, is_bad=True)
    choice = status_choice(asked, listed)
    state = state.exchanged(asked, choice)
    if problem:
        words = f"These are the statuses in your files; Jira was not asked: {problem}"
        state = state.noticed(words, is_bad=True)
    return state
