"""The timeouts of one exchange, which the adapters share."""

from __future__ import annotations

import trio

from ticketr.app.jira.errors import NoAnswer


class ExchangeTimeout:
    """The timeouts of one exchange: of silence, which each piece restarts, and of the whole.

    Args:
        silence: The longest silence, in seconds, between two pieces.
        whole: The longest that the whole answer may take, in seconds.

    Attributes:
        scope: The scope that the exchange runs in.
    """

    def __init__(self, silence: float, whole: float) -> None:
        self._silence = silence
        self._whole = whole
        self._latest = trio.current_time() + whole
        self.scope = trio.CancelScope()
        self.move_on()

    def move_on(self) -> None:
        """Restart the timeout of silence, as each received piece does."""
        self.scope.deadline = min(trio.current_time() + self._silence, self._latest)

    def error(self, url: str) -> NoAnswer:
        """Make the error for an exchange that was cut off."""
        if self.scope.deadline >= self._latest:
            return NoAnswer(url, self._whole, begun=True)
        return NoAnswer(url, self._silence)
