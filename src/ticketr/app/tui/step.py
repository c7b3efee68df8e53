"""The answer to a key or a message: the new state, and the effects to carry out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ticketr.app.tui.effects import Effect
    from ticketr.app.tui.state import AppState

Step: TypeAlias = "tuple[AppState, tuple[Effect, ...]]"
