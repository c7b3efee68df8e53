"""How blocking work is run, and in what portions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Files read or families written in one visit to a worker thread. A thread cannot be cancelled,
#: so this bounds how long a cancel waits for one.
CHUNK = 20

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class ThreadRunner(Protocol):
    """How blocking work is run: `trio.to_thread.run_sync`, or inline under a virtual clock."""

    async def __call__(self, sync_fn: Callable[[*Ts], T], /, *args: *Ts) -> T:
        """Run ``sync_fn(*args)`` and return what it returns."""


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into portions of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
