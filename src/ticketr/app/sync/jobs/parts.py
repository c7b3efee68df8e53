"""What the jobs share: a session that reports how it ends, and the words for their progress."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.app.sync.errors import error_to_report
from ticketr.app.sync.notes import Note
from ticketr.app.sync.progress import Progress
from ticketr.app.sync.session import Session, open_session

if TYPE_CHECKING:
    from ticketr import JobContext
    from ticketr.app.sync.edits.push_plan import PushPlan, Selection
    from ticketr.app.sync.pull.tally import PullResult, Tally
    from ticketr.app.sync.push.tally import PushResult, PushTally
    from ticketr.app.sync.session_job import SessionJob

#: How many keys the name of a job has.
_NAMED = 3
#: What becomes of tickets with which a job has not done what it was to do.
_IN_CONFLICT, _LEFT_ALONE, _FAILED = "in conflict", "left alone", "failed"
_UNFINISHED_COUNT = re.compile(rf"\d+ (?:{_IN_CONFLICT}|{_LEFT_ALONE}|{_FAILED})")


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync did.

    Attributes:
        pull: What its first half did.
        push: What its second half did.
    """

    pull: PullResult
    push: PushResult


async def recover_if_any(
    session: Session, on_recovered: Callable[[str], object], on_failed: Callable[[Note], object]
) -> None:
    """Do as `recover` does, if earlier pushes have recorded new issues.

    Cancellation:
        Takes effect at once; the next run finds the rest.
    """
    if await session.in_thread(session.state.creations.has_any):
        from ticketr.app.sync.push.recovery import recover  # noqa: PLC0415 - few runs need it

        await recover(session, on_recovered, on_failed)


def selection_of(
    job: SessionJob, confirmed: PushPlan | None, keys: Collection[str] | None = None
) -> Selection:
    """Return what a job may send."""
    from ticketr.app.sync.edits.push_plan import Selection  # noqa: PLC0415 - no pull needs it

    return Selection(None if keys is None else frozenset(keys), confirmed, job.prefer)


def first_keys(keys: Collection[str]) -> str:
    """Return the first keys, and how many more there are; one that is named twice counts once."""
    unique_keys = list(dict.fromkeys(keys))
    more = f" and {len(unique_keys) - _NAMED} more" if len(unique_keys) > _NAMED else ""
    return ", ".join(unique_keys[:_NAMED]) + more


def not_done(*, pulled: PullResult | None = None, pushed: PushResult | None = None) -> str:
    """Return the counts of what was neither pulled nor pushed, as the end of a message."""
    counts = dict.fromkeys((_IN_CONFLICT, "kept", _LEFT_ALONE, _FAILED), 0)
    if pulled is not None:
        counts[_IN_CONFLICT] += pulled.in_conflict
        counts["kept"] += pulled.left_alone
        counts[_FAILED] += pulled.unwritten
    if pushed is not None:
        counts[_IN_CONFLICT] += pushed.in_conflict
        counts[_LEFT_ALONE] += len(pushed.left)
        counts[_FAILED] += len(pushed.failed)
    return "".join(f", {count} {word}" for word, count in counts.items() if count)


def is_partial(message: str) -> bool:
    """Return whether the last message of a job says that something failed or was left alone."""
    return any(_UNFINISHED_COUNT.fullmatch(text) for text in message.split(", "))


def count_tickets(count: int) -> str:
    """Return a number of tickets in words."""
    return "1 ticket" if count == 1 else f"{count} tickets"


def pulled_words(tally: Tally) -> str:
    """Return how far a pull has got."""
    return _so_far(tally.done, tally.total, "pulled")


def pushed_words(tally: PushTally) -> str:
    """Return how far a push has got."""
    words = _so_far(tally.result.done, tally.result.total, "pushed")
    return f"{words}; Jira may have {', '.join(tally.files)}, too" if tally.files else words


def _so_far(done: int, total: int, what: str) -> str:
    return f"{done}/{total} tickets {what}" if total else f"no ticket {what} yet"


@asynccontextmanager
async def reporting_session(
    job: SessionJob, context: JobContext, done: Callable[[], str]
) -> AsyncGenerator[Session]:
    """Open a session; report an error, or a cancellation with ``done()``, as the last message."""
    progress = Progress(context, job.credentials.redact)
    try:
        async with open_session(job, progress) as session:
            yield session
    except Exception as error:
        reported = error_to_report(error)
        progress.say(f"{job.verb} failed: {str(reported) or type(reported).__name__}")
        if reported is error:
            raise
        raise reported from None  # one of several errors of concurrent tasks is enough
    except BaseException:  # a cancellation, alone or in a group
        progress.say(f"Cancelled: {done()}")
        raise
