"""What a screen shows while Jira is asked, and which issues a query finds. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

from ticketr.app.tickets import Filter, KeysTerm
from ticketr.app.tui import effects, messages
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, boxed
from ticketr.text import clean

if TYPE_CHECKING:
    from ticketr.app.tui.state import AppState
    from ticketr.app.tui.step import Step
    from ticketr.app.tui.theme import Theme

#: What a filter begins with that is a query in Jira's language.
JQL = "jql:"


class AskingOverlay(Overlay):
    """The members that overlays have alike while Jira is asked; a base class.

    Attributes:
        workspace: The name of the workspace whose site is asked.
    """

    __slots__ = ()

    context: ClassVar[Context] = Context.CHOICE
    is_full: ClassVar[bool] = False

    workspace: str

    def has_effect(self, state: AppState, action: KeyAction) -> bool:
        """Return whether an action has an effect: there is nothing to take yet."""
        return action is not KeyAction.ACCEPT

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Cancel the request; there is nothing to take yet."""
        if action is KeyAction.ESCAPE:
            return state.closed(), (effects.StopAsking(self.workspace),)
        if action is KeyAction.ACCEPT:
            return state.noticed("Jira has not answered yet; Esc goes back"), ()
        return None


def asking_rows(
    below: list[str], title: str, words: str, state: AppState, theme: Theme
) -> list[str]:
    """Return the rows of the body while Jira is asked."""
    cells = min(64, max(16, state.width - 8))
    return boxed(below, title, [(f" {words}", False)], 0, cells, state.width, theme)


@final
@dataclass(frozen=True, slots=True)
class AskingKeys(AskingOverlay):
    """Jira is asked which issues a query finds; Esc cancels the request.

    Attributes:
        workspace: The name of the workspace.
        jql: The query, as it was typed.
        refused: Gives the step for a typed query without an answer: it gets the name of the
            workspace, the filter, why there is no answer, and the time. None for one that was
            chosen.
    """

    workspace: str
    jql: str
    refused: Callable[[AppState, str, str, str, float], Step] | None = None

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Show only the issues that were found; without an answer, say why."""
        match message:
            case messages.KeysRead(self.workspace, self.jql, keys, count, problem):
                state = state.without(self)
                if problem:
                    words = f"Not filtered: {problem}"
                    if self.refused is None:
                        return state.noticed(words, is_bad=True), ()
                    return self.refused(state, self.workspace, f"{JQL} {self.jql}", words, now)
                return _show_only(state, self, keys, count, now), ()
            case _:
                return None

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        return asking_rows(below, "Filter", "Asking Jira which tickets match...", state, theme)


def _show_only(
    state: AppState, overlay: AskingKeys, keys: frozenset[str], count: int, now: float
) -> AppState:
    """Show only the issues with these keys."""
    workspace = state.named(overlay.workspace)
    if workspace is None:
        return state
    wanted = Filter(f"{JQL} {clean(overlay.jql)}", (KeysTerm(keys),))
    state = state.with_workspace(replace(workspace, filter=wanted, top=0))
    missing = f", {count - len(keys)} of them not pulled" if count > len(keys) else ""
    return replace(state, rest_until=now).noticed(f"Jira has found {count}{missing}")
