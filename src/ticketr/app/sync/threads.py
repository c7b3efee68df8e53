"""How blocking work is run, and in what portions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar, TypeVarTuple

import trio

#: Files read or families written in one visit to a worker thread. A thread cannot be cancelled,
#: so this bounds how long a cancel waits for one.
CHUNK = 20
#: Characters in one visit; a larger file or family has a visit of its own.
MAX_PORTION_LENGTH = 64 * 1024
#: The most work done on Trio's thread, which takes a few milliseconds. Converting one character of
#: text is a work of 1.
MAX_INLINE_WORK = 1_250
#: Turns of Trio's loop between two such functions. A key is read, handled and drawn by tasks that
#: each need a turn; with one turn, each of them would wait for another function.
TURNS = 3

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class ThreadRunner(Protocol):
    """How blocking work is run: `trio.to_thread.run_sync`, or inline under a virtual clock."""

    async def __call__(
        self, sync_fn: Callable[[*Ts], T], /, *args: *Ts, abandon_on_cancel: bool = False
    ) -> T:
        """Run ``sync_fn(*args)``; a cancel waits for it unless ``abandon_on_cancel``."""


async def compute(
    in_thread: ThreadRunner, weight: int, function: Callable[[*Ts], T], /, *args: *Ts
) -> T:
    """Run a pure function: a short one on Trio's thread, a long one on a worker thread.

    Args:
        in_thread: How blocking work is run.
        weight: About how much work it is, in the unit of `MAX_INLINE_WORK`.
        function: Must have no side effects: after a cancel it may continue for a while, and its
            result is lost.
        args: Its arguments.

    Cancellation:
        Takes effect at once.
    """
    if weight > MAX_INLINE_WORK:
        return await in_thread(function, *args, abandon_on_cancel=True)
    for _ in range(TURNS):
        await trio.lowlevel.checkpoint()
    return function(*args)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into portions of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def portions(items: Iterable[T], weigh: Callable[[T], int], most: int = CHUNK) -> Iterator[list[T]]:
    """Cut items into portions, each of one item or of a limited length.

    Args:
        items: The items.
        weigh: Returns the length of an item, in characters.
        most: The most items of a portion; `CHUNK` of them have at most `MAX_PORTION_LENGTH`.
    """
    longest = MAX_PORTION_LENGTH * most // CHUNK
    portion: list[T] = []
    total = 0
    for item in items:
        weight = weigh(item)
        if portion and (len(portion) == most or total + weight > longest):
            yield portion
            portion, total = [], 0
        portion.append(item)
        total += weight
    if portion:
        yield portion
