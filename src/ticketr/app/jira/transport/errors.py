"""The errors of opening a transport."""

from __future__ import annotations

from ticketr._errors import TicketrError
from ticketr.app.jira.sanitize import clip


class AsksMissing(TicketrError):
    """Raised when asks was chosen and cannot be used here."""

    def __init__(self, reason: str) -> None:
        self.reason = clip(reason)
        super().__init__(self.reason)

    def __str__(self) -> str:
        return (
            f"asks cannot be used ({self.reason}): in a clone of ticketr, "
            "uv pip install '.[asks]' brings it with the anyio that today's Trio needs; "
            "or use httpx, which is there already"
        )
