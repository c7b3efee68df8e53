"""Creates many drafts in few requests; each exactly once, as `creating` does for one.

All requests of a batch are recorded before it is sent. Whatever the answer, each issue is then
looked up by its marker: the answer names the new issues, but not which draft became which of them.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import (
    MOST_CREATED,
    AuthenticationFailed,
    JiraError,
    RateLimited,
    Rejected,
    may_have_happened,
)
from ticketr.app.sync.compare.diff import text_size
from ticketr.app.sync.compare.sent import to_json
from ticketr.app.sync.concurrency import TRIES, passes_soon
from ticketr.app.sync.push.recovery import PROPERTY, look_up
from ticketr.app.sync.state.journal import Creation
from ticketr.app.sync.threads import chunks, compute
from ticketr.app.tickets import render_ticket

if TYPE_CHECKING:
    from ticketr.app.sync.push.writes import NewIssue, WantedIssue
    from ticketr.app.sync.session import Session


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of the issues of some batches, by the `id` of each `NewIssue`.

    Attributes:
        existing: The requests whose issues exist, with their IDs and keys. The state holds them.
        unknown: The requests whose issues may or may not exist, and why.
    """

    existing: Mapping[int, Creation] = field(default_factory=dict)
    unknown: Mapping[int, tuple[Creation, JiraError]] = field(default_factory=dict)


async def new_creation(
    session: Session, new: NewIssue, path: str, *, parent: str | None, after: int
) -> Creation:
    """Return a request for an issue, as the state records it.

    Args:
        session: The workspace and the site.
        new: The issue.
        path: Its file, relative to the workspace.
        parent: The key of its parent, for a sub-task.
        after: The highest number of a key before the request.
    """
    # A long text takes some milliseconds to convert.
    write = partial(to_json, new.payload.values)
    return Creation(
        marker=uuid.uuid4().hex,
        project=new.project,
        parent=parent,
        title=new.issue.title,
        path=path,
        draft=render_ticket(new.issue),
        after=after,
        sent=time.time(),
        parts=await compute(session.in_thread, text_size(new.issue), write),
    )


async def create_in_batches(
    session: Session,
    wanted: Sequence[WantedIssue],
    after: Mapping[str, int],
    on_created: Callable[[Creation], object],
) -> BatchResult:
    """Create issues, as many in a request as Jira takes.

    Args:
        session: The workspace and the site.
        wanted: The issues, in the order of their keys.
        after: The highest number of a key in each project before the push.
        on_created: Called with each issue as soon as it certainly exists.

    Returns:
        The issues that exist, and those that may exist. The others certainly do not exist.

    Raises:
        AuthenticationFailed: The site no longer takes the login.
        StateFailed: The state cannot be written.
    """
    existing: dict[int, Creation] = {}
    unknown: dict[int, tuple[Creation, JiraError]] = {}
    highest = dict(after)
    for chunk in chunks(wanted, MOST_CREATED):
        batch: dict[str, tuple[WantedIssue, Creation]] = {}
        for issue in chunk:
            creation = await _new_creation(session, issue, highest)
            batch[creation.marker] = issue, creation
        try:
            creations = await _create(session, batch)
        except AuthenticationFailed:
            raise
        except JiraError as error:
            unknown |= {id(issue.new): (creation, error) for issue, creation in batch.values()}
            continue
        for marker, (issue, creation) in batch.items():
            if marker not in creations:
                await _forget(session, creation)
                continue
            existing[id(issue.new)] = creations[marker]
            on_created(creations[marker])
            _raise_highest(highest, creations[marker])
    return BatchResult(existing, unknown)


async def _new_creation(
    session: Session, wanted: WantedIssue, highest: Mapping[str, int]
) -> Creation:
    after = highest[wanted.new.project]
    return await new_creation(session, wanted.new, wanted.path, parent=wanted.parent, after=after)


def _raise_highest(highest: dict[str, int], created: Creation) -> None:
    """Raise the highest number of a key in a project to that of a new issue."""
    project, _, number = (created.key or "").rpartition("-")
    # An automation may have moved the issue to another project, whose numbers say nothing here.
    if project == created.project and number.isdecimal():
        highest[project] = max(highest[project], int(number))


async def _create(
    session: Session, batch: Mapping[str, tuple[WantedIssue, Creation]]
) -> dict[str, Creation]:
    """Send a batch until its issues exist, or Jira refuses the rest; return what exists.

    Raises:
        JiraError: It is not known what exists.
    """
    created: dict[str, Creation] = {}
    for _ in range(TRIES):
        remaining = {marker: pair for marker, pair in batch.items() if marker not in created}
        creations = [replace(creation, sent=time.time()) for _, creation in remaining.values()]
        put = session.state.creations.put_all
        await session.in_thread(put, creations)
        failure: JiraError | None = None
        try:
            await session.jira.create_issues(
                [_request(issue, marker) for marker, (issue, _) in remaining.items()]
            )
        except AuthenticationFailed:
            raise
        except JiraError as error:
            failure = error
        sent = -math.inf if failure is None else over_at(failure)
        created |= await look_up(session, creations, sent=sent)
        if len(created) == len(batch) or failure is None or not may_succeed_later(failure):
            break
    return created


def _request(wanted: WantedIssue, marker: str) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Return the fields and the properties of an issue."""
    parent = {"parent": {"key": wanted.parent}} if wanted.parent else {}
    return wanted.new.payload.fields | parent, {PROPERTY: marker}


async def _forget(session: Session, creation: Creation) -> None:
    with trio.CancelScope(shield=True):  # one short write
        await session.in_thread(session.state.creations.forget, creation.marker)


def may_succeed_later(error: JiraError) -> bool:
    """Return whether another try may succeed."""
    return passes_soon(error) or may_have_happened(error)


def over_at(error: JiraError) -> float:
    """Return a time of Trio's clock when Jira had finished with a refused request.

    Jira has finished if the answer is Jira's own. Any other answer may come from a proxy, which may
    still forward the request.
    """
    is_over = isinstance(error, RateLimited) or (isinstance(error, Rejected) and error.is_jiras)
    return -math.inf if is_over else trio.current_time()
