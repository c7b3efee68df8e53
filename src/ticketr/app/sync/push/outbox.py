"""Sends what Jira must not carry out twice, and waits until no such request can still reach Jira.

If an answer is lost, Jira is asked whether it has what was sent. A request may also reach Jira late,
`SessionJob.late_request_window` seconds at most after it was sent: Jira's gateway times out long
before that.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import trio

from ticketr.app.jira import (
    AuthenticationFailed,
    JiraError,
    RateLimited,
    Rejected,
    certainly_failed,
    may_have_happened,
)
from ticketr.app.sync.compare.sent import OutboxEntry
from ticketr.app.sync.concurrency import TRIES, passes_soon
from ticketr.app.sync.state.outbox import Entry, Outbox

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session

#: The property of an issue or a comment in Jira that holds the marker of its entry.
PROPERTY = "ticketr.created"
#: Seconds after which a request has ended, even if it was sent late because of a rate limit.
LONG_AGO = 3600.0

T = TypeVar("T")


def has_ended(error: JiraError) -> bool:
    """Return whether Jira had finished with a request when it was refused.

    An answer that is not Jira's own may come from a proxy, which may still forward the request.
    """
    return isinstance(error, Rejected) and error.is_jiras


def may_have_arrived(error: JiraError) -> bool:
    """Return whether Jira may carry out a request that has failed.

    A gateway may refuse what Jira carries out, and it is a gateway that limits rates.
    """
    if isinstance(error, Rejected):
        return isinstance(error, RateLimited) or not error.is_jiras
    return may_have_happened(error)


async def send_once(send: Callable[[], Awaitable[T]], find: Callable[[], Awaitable[T | None]]) -> T:
    """Send a request; if Jira may have carried it out, look for that before it is sent again.

    Args:
        send: Sends the request, and returns Jira's answer.
        find: Returns the answer if Jira has what was sent, and otherwise None.

    Raises:
        JiraError: Jira does not have it, or that is unknown.

    Cancellation:
        Takes effect at once; Jira may have it.
    """
    for remaining_tries in reversed(range(TRIES)):
        try:
            return await send()
        except AuthenticationFailed:  # to look for it would fail, too
            raise
        except JiraError as error:
            failure = error
        if may_have_arrived(failure) and (answer := await find()) is not None:
            return answer
        if not remaining_tries or not passes_soon(failure):
            raise failure
    raise AssertionError  # pragma: no cover - the last try returns or raises


async def send_entry(
    session: Session,
    outbox: Outbox[Entry],
    entry: Entry,
    send: Callable[[], Awaitable[str]],
    find: Callable[[], Awaitable[str | None]],
    *,
    fields: Collection[str] = (),
) -> str:
    """Send a request as `send_once` does, and record it before, and what is known of it after.

    Args:
        session: The workspace and the site.
        outbox: Where it is recorded.
        entry: The request.
        send: Sends it, and returns Jira's ID of what it has added.
        find: Returns that ID if Jira has it, and otherwise None.
        fields: The IDs of the fields that are sent.

    Returns:
        The ID.

    Raises:
        JiraError: Jira does not have it, or that is unknown.

    Cancellation:
        Takes effect at once. If Jira has it, the next run finds it.
    """

    async def send_recorded() -> str:
        asked = replace(entry, sent=time.time())
        await session.in_thread(outbox.put, asked)
        try:
            return await send()
        except JiraError as error:
            with trio.CancelScope(shield=True):  # one short write
                if certainly_failed(error, fields):
                    await session.in_thread(outbox.forget, asked)
                elif has_ended(error):
                    await session.in_thread(outbox.put, replace(asked, sent=0.0))
            raise

    answer = await send_once(send_recorded, find)
    with trio.CancelScope(shield=True):  # one short write
        await session.in_thread(outbox.put, replace(entry, sent=time.time(), id=answer))
    return answer


def is_over(entry: OutboxEntry) -> bool:
    """Return whether Jira has certainly finished with a request of an earlier run."""
    return time.time() - entry.sent > LONG_AGO


async def wait_until_over(
    session: Session,
    entries: Iterable[OutboxEntry],
    what: str,
    *,
    since: float | None = None,
) -> None:
    """Wait until no request whose answer was lost can still reach Jira.

    Args:
        session: The workspace and the site.
        entries: The requests.
        what: What is found out by that, such as ``finding out whether a file was attached``.
        since: When the last of them was sent, on Trio's clock; None if an earlier run sent them,
            which has ended, since this one holds the workspace's lock.

    Cancellation:
        Takes effect at once.
    """
    if since is None and all(map(is_over, entries)):
        return
    start = session.began if since is None else since
    left = start + session.job.late_request_window - trio.current_time()
    if left > 0:
        session.progress.wait(left, what)
        await trio.sleep(left)
