"""Which of several requests of one kind is the newest."""

from __future__ import annotations

from typing import final

from ticketr.app.tui import effects
from ticketr.app.tui.effects import Effect


@final
class Newest:
    """The newest request of each kind and workspace.

    Requests are answered by threads side by side. An answer must not replace one to a newer
    request, whose files were read later.
    """

    def __init__(self) -> None:
        self._begun: dict[tuple[type[Effect], str], Effect] = {}

    def begin(self, request: Effect) -> None:
        """Note that a request begins to be answered."""
        self._begun[type(request), effects.workspace_of(request)] = request

    def is_newest(self, request: Effect) -> bool:
        """Return whether no other request of its kind and workspace has begun after it."""
        return self._begun.get((type(request), effects.workspace_of(request))) is request
