"""How many requests a job makes at once, with how many issues each, and how often it tries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from ticketr._errors import TicketrError
from ticketr.app.jira import LONGEST_WAIT, RateLimited
from ticketr.app.sync.errors import error_to_report

#: How many requests run at once; with Jira's rate limits, 4 to 8 is polite.
CONCURRENCY = 4
#: Issues in one bulk fetch; Jira allows no more.
PAGE = 100
#: How often a write is sent that must not happen twice; before each further try, it is certain that
#: Jira does not have it.
TRIES = 3


def passes_soon(error: BaseException) -> bool:
    """Return whether a rate limit refused a request, and the next request may wait it out."""
    return isinstance(error, RateLimited) and (error.retry_after or 0.0) <= LONGEST_WAIT


async def run_in_tasks(work: Callable[[], Awaitable[None]]) -> None:
    """Run a function in several tasks at once, as many as there may be requests.

    Args:
        work: What each task runs, such as a loop that takes from a common queue.

    Raises:
        TicketrError: One raised it. It comes bare, and has cancelled the other tasks.

    Cancellation:
        Cancels all tasks.
    """
    failure: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            for _ in range(CONCURRENCY):
                nursery.start_soon(work)
    except* TicketrError as group:
        failure = error_to_report(group)
    if failure is not None:
        raise failure
