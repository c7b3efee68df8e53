"""The base class of overlays."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.app.tui.keymap import Context, KeyAction
    from ticketr.app.tui.messages import Message
    from ticketr.app.tui.state import AppState
    from ticketr.app.tui.step import Step
    from ticketr.app.tui.theme import Theme
    from ticketr.statusline import LineStyle


class Overlay(ABC):
    """Something that lies over the main screen; every overlay is a frozen dataclass."""

    __slots__ = ()

    @property
    @abstractmethod
    def context(self) -> Context:
        """The place whose keys have a meaning."""

    @property
    def is_full(self) -> bool:
        """Whether it hides everything below it."""
        return True

    @property
    def wake_at(self) -> float:
        """The time at which it is to get the message `TimePassed`; infinity for never."""
        return math.inf

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Return the step for a key with this action; None if it does nothing here."""
        return None

    def has_effect(self, state: AppState, action: KeyAction) -> bool:
        """Return whether the hints are to name an action."""
        return True

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Return the step for a typed character or a paste; None if it takes no text."""
        return None

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Return the step for a message; None if it is not for this overlay."""
        return None

    def header(self, state: AppState) -> tuple[str, str] | None:
        """Return the left and right side of the first row; None to keep the main screen's."""
        return None

    def next_change(self, state: AppState, now: float, style: LineStyle) -> float:
        """Return the time at which what it shows changes without a message; infinity for never.

        Args:
            state: The state.
            now: The time, in seconds by Trio's clock.
            style: Whether anything may move.
        """
        return math.inf

    def draw(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body.

        Args:
            state: The state.
            below: The rows of the body without this overlay, for one that hides only some.
            now: The time, in seconds by Trio's clock.
            theme: Colours and characters.
        """
        return below

    def line(self, state: AppState, theme: Theme) -> str | None:
        """Return the text of the action bar, such as an input; None for the hints of its keys."""
        return None

    def aside(self, state: AppState) -> str:
        """Return what is at the right of `line` while there is no notice; empty for nothing."""
        return ""
