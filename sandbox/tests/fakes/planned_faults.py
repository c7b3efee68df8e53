"""Faults at planned requests."""

from __future__ import annotations

from jira_sandbox import Fault, FaultSource


class PlannedFaults(FaultSource):
    """Gives each matching request the next fault of a plan; after the last, no request fails.

    Args:
        plan: The faults in order; None lets a request through.
        method: Only requests with this method are counted.
        path: Only requests whose path contains this text are counted.
    """

    def __init__(
        self,
        *plan: Fault | None,
        method: str = "",
        path: str = "",
        hang_for: float = 60.0,
        retry_within: int = 2,
    ) -> None:
        self.left = list(plan)
        self.hang_for = hang_for
        self.retry_within = retry_within
        self._method = method
        self._path = path

    def draw(self, method: str, path: str, body: bytes) -> Fault | None:
        fits = self._method in {"", method} and self._path in path
        return self.left.pop(0) if fits and self.left else None
