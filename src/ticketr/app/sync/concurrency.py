"""How work runs at once: requests to Jira in tasks, blocking work on threads, and in what portions."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, TypeVarTuple

import trio

from ticketr._errors import TicketrError
from ticketr.app import config
from ticketr.app.sync.errors import error_to_report

if TYPE_CHECKING:
    from ticketr.app.config import SupportLog

#: Files read or families written in one visit to a worker thread. A thread cannot be cancelled,
#: so this bounds how long a cancel waits for one.
FILES_PER_THREAD_VISIT = 20
#: Characters in one visit; a larger file or family has a visit of its own.
MAX_CHARACTERS_PER_THREAD_VISIT = 64 * 1024
#: The most work done on Trio's thread at once, which takes a few milliseconds. Converting one
#: character of text is a work of 1.
MAX_INLINE_COST = 900
#: Turns of Trio's loop between two such pieces of work. A key is read, handled and drawn by tasks
#: that each need a turn; with one turn, each of them would wait for another piece.
CHECKPOINTS_IN_EACH_PAUSE = 3

A = TypeVar("A")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class ThreadRunner(Protocol):
    """How blocking work is run: `trio.to_thread.run_sync`, or inline under a virtual clock."""

    async def __call__(
        self, sync_fn: Callable[[*Ts], T], /, *args: *Ts, abandon_on_cancel: bool = False
    ) -> T:
        """Run ``sync_fn(*args)``; a cancel waits for it unless ``abandon_on_cancel``."""


@asynccontextmanager
async def open_log(root: Path, in_thread: ThreadRunner | None) -> AsyncGenerator[SupportLog]:
    """Open the log for support of a workspace, which is written by a thread of its own."""
    in_thread = in_thread or trio.to_thread.run_sync
    log = await in_thread(lambda: config.SupportLog(root, os.environ))  # it is imported there
    try:
        yield log
    finally:
        with trio.CancelScope(shield=True):  # the few lines that are left
            await in_thread(log.close)


async def compute_in_batches(
    in_thread: ThreadRunner, functions: Sequence[Callable[[], T]]
) -> list[T]:
    """Run pure functions on a worker thread, `FILES_PER_THREAD_VISIT` at a time, and return their results.

    Cancellation:
        Takes effect at once; a thread may continue for a while, and its results are lost.
    """
    results: list[T] = []
    for few in chunks(functions, FILES_PER_THREAD_VISIT):
        results += await in_thread(_call_all, few, abandon_on_cancel=True)
    return results


def _call_all(functions: Sequence[Callable[[], T]]) -> list[T]:
    # `list(map(...))` would end at a function that raises StopIteration, and leave out the rest.
    return [function() for function in functions]


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into portions of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def split_by_limits(
    items: Iterable[T],
    length_of: Callable[[T], int],
    max_items: int = FILES_PER_THREAD_VISIT,
    *,
    max_length: int | None = None,
) -> Iterator[list[T]]:
    """Cut items into portions, each of one item or of a limited length.

    Args:
        items: The items.
        length_of: Returns the length of an item, such as its characters.
        max_items: The most items of a portion.
        max_length: The length of a portion; None for `MAX_CHARACTERS_PER_THREAD_VISIT` characters for
            `FILES_PER_THREAD_VISIT` items.
    """
    if max_length is None:
        max_length = MAX_CHARACTERS_PER_THREAD_VISIT * max_items // FILES_PER_THREAD_VISIT
    portion: list[T] = []
    total = 0
    for item in items:
        length = length_of(item)
        if portion and (len(portion) == max_items or total + length > max_length):
            yield portion
            portion, total = [], 0
        portion.append(item)
        total += length
    if portion:
        yield portion


#: How many requests run at once; with Jira's rate limits, 4 to 8 is polite.
CONCURRENT_REQUESTS = 4
#: How many tickets are sent at once: while some wait for Jira, others are recorded on the disk.
CONCURRENT_SENT_TICKETS = 2 * CONCURRENT_REQUESTS
#: Issues in one bulk fetch; Jira allows no more.
BULK_FETCH_SIZE = 100
#: How often a write is sent that must not happen twice; before each further try, it is certain that
#: Jira does not have it.
MAX_JIRA_WRITE_TRIES = 3


def is_short_rate_limit(error: BaseException) -> bool:
    """Return whether a rate limit refused a request, and the next request may wait it out."""
    from ticketr.app.jira import MAX_REQUESTED_WAIT, RateLimited  # noqa: PLC0415 - not for a status

    return isinstance(error, RateLimited) and (error.retry_after or 0.0) <= MAX_REQUESTED_WAIT


async def map_in_tasks(
    function: Callable[[A], Awaitable[T]], items: Iterable[A], *, tasks: int = CONCURRENT_REQUESTS
) -> list[T]:
    """Call a function with each item, in several tasks at once.

    Args:
        function: The function.
        items: The items.
        tasks: How many tasks; more than there may be requests, if they also do other work.

    Returns:
        The results, in the order of the items.

    Raises:
        TicketrError: One call raised it. It comes bare, and has cancelled the other tasks.

    Cancellation:
        Cancels all tasks.
    """
    waiting = enumerate(items)
    results: dict[int, T] = {}
    failure: BaseException | None = None

    async def call_with_some() -> None:
        for number, item in waiting:
            results[number] = await function(item)

    try:
        async with trio.open_nursery() as nursery:
            for _ in range(tasks):
                nursery.start_soon(call_with_some)
    except* TicketrError as group:
        failure = error_to_report(group)
    if failure is not None:
        raise failure
    return [results[number] for number in sorted(results)]
