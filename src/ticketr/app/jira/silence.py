"""Measures for how long a site has not answered. Synchronous."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import trio


class Silence:
    """Records since when requests are waiting without an answer to any of them.

    The time of sending counts, not that of a wait for a rate limit.
    """

    def __init__(self) -> None:
        self._sent: dict[object, float] = {}
        self._answered = 0.0

    @property
    def since(self) -> float | None:
        """The time by Trio's clock; None while no request is waiting for an answer."""
        if not self._sent:
            return None
        return max(self._answered, next(iter(self._sent.values())))

    @contextmanager
    def waiting(self) -> Generator[None]:
        """Count the block as a request that waits for its answer."""
        request = object()
        self._sent[request] = trio.current_time()
        try:
            yield
        finally:
            del self._sent[request]
            self._answered = trio.current_time()
