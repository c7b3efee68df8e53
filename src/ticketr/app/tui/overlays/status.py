"""Waits for the statuses that issues can take, then lists them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ticketr.app.tui import messages
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.asking import AskingOverlay, asking_rows
from ticketr.app.tui.overlays.choice import Choice, Option
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr.app.tui.state import AppState
    from ticketr.app.tui.step import Step
    from ticketr.app.tui.theme import Theme


@final
@dataclass(frozen=True, slots=True)
class AskingStatus(AskingOverlay):
    """Jira is asked for the statuses that issues can take; Esc cancels the request.

    Attributes:
        workspace: The name of their workspace.
        title: What is chosen, cleaned.
        issues: The status of each issue that Jira is asked about, as the file has it, by its key.
        seen: The statuses in the files of the workspace, listed if Jira does not answer.
        taken: Gives the step for the status that was chosen.
        before: The status at the last sync, not cleaned, if the file has another one: it can be
            taken, too.
    """

    workspace: str
    title: str
    issues: Mapping[str, str]
    seen: tuple[str, ...]
    taken: Callable[[AppState, str], Step]
    before: str = ""

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """List the statuses; without an answer, those of the files."""
        if not isinstance(message, messages.StatusesRead):
            return None
        if (message.workspace, message.keys) != (self.workspace, tuple(self.issues)):
            return None
        return _show_statuses(state, self, message.statuses, message.problem), ()

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        what = "it" if len(self.issues) == 1 else "they"
        words = f"Asking Jira what {what} can become..."
        return asking_rows(below, self.title, words, state, theme)


def status_choice(overlay: AskingStatus, statuses: Mapping[str, tuple[str, ...]]) -> Choice:
    """Return the list of the statuses to choose from.

    Args:
        overlay: What was asked.
        statuses: The statuses that each issue can take, by its key.
    """
    listed = [name for status in statuses.values() for name in status]
    if overlay.before and all(text.casefold() != overlay.before.casefold() for text in listed):
        listed.append(overlay.before)
    names = tuple(dict.fromkeys(listed))

    def chosen(state: AppState, index: int) -> Step:
        return overlay.taken(state, names[index])

    options = tuple(Option(clean(name), _availability(overlay, name, statuses)) for name in names)
    return Choice(overlay.title, options, chosen)


def _availability(overlay: AskingStatus, name: str, statuses: Mapping[str, tuple[str, ...]]) -> str:
    """Return whether the issues have a status now, or which of them cannot take it."""
    has = {key for key, status in overlay.issues.items() if status.casefold() == name.casefold()}
    if has == set(overlay.issues):
        return "now"
    if name == overlay.before:
        return "at the last sync"
    refused = [key for key, options in statuses.items() if name not in options and key not in has]
    if not refused:
        return ""
    more = f" and {len(refused) - 1} more" if refused[1:] else ""
    return f"not for {refused[0]}{more}"


def _show_statuses(
    state: AppState, overlay: AskingStatus, statuses: Mapping[str, tuple[str, ...]], problem: str
) -> AppState:
    if not problem and not any(statuses.values()) and not overlay.before:
        return state.without(overlay).noticed("Jira allows no other status from here")
    listed = {"": overlay.seen} if problem else statuses
    if problem and not any(listed.values()):
        return state.without(overlay).noticed(problem, is_bad=True)
    state = state.exchanged(overlay, status_choice(overlay, listed))
    if problem:
        words = f"These are the statuses in your files; Jira was not asked: {problem}"
        state = state.noticed(words, is_bad=True)
    return state
