"""Finds out what happened to issues that a pull no longer finds, and prunes their files.

No file is deleted because its issue is missing. Only a pull with ``prune`` moves unedited
files into ticketr's own folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from ticketr._errors import TicketrError
from ticketr.app.jira import Issue
from ticketr.app.sync.concurrency import BULK_FETCH_SIZE, chunks
from ticketr.app.sync.notes import Code, Note, issue_not_returned_reason
from ticketr.app.sync.queries import OVERLAP_MINUTES
from ticketr.app.sync.state.state import KnownIssue
from ticketr.app.sync.workspace.editor import FileEditor
from ticketr.app.sync.workspace.files import attempt_change, lf_and_chomp

if TYPE_CHECKING:
    from ticketr.app.sync.pull.tally import PullTally
    from ticketr.app.sync.session import Session
    from ticketr.app.sync.workspace.store import TicketLocation

#: What a note says of an issue that Jira no longer has.
_DELETED_REASON = "it was deleted in Jira, or you may no longer see it"
_EDITED_REASON = f"{_DELETED_REASON}; it was edited here, or its file holds more than it"


async def note_or_prune(
    session: Session,
    missing: Sequence[KnownIssue],
    key_locations: Mapping[str, TicketLocation],
    tally: PullTally,
    *,
    now: float,
    prune: bool,
) -> None:
    """Ask Jira what has happened to issues that a project no longer has; note it, or prune them.

    Args:
        session: The workspace and the site.
        missing: The issues.
        key_locations: The location of each key.
        tally: Takes a note on each that is not removed, and what is.
        now: Jira's clock. An issue that was created a moment ago may not be in the search yet.
        prune: Whether to remove the files of deleted tickets, those that hold nothing else and
            were not edited.
    """
    lost: list[KnownIssue] = []
    reasons: dict[str, tuple[str, Code]] = {}
    for chunk in chunks(missing, BULK_FETCH_SIZE):
        ids = [issue.id for issue in chunk]
        answer = await session.jira.bulk_fetch(ids, fields=["created"], partly=True)
        there = {issue.id: issue for issue in answer.issues}
        for known in chunk:
            if known.id in answer.failed:
                why = issue_not_returned_reason(answer.failed[known.id])
                words = f"the query no longer finds it, and {why}"
                reasons[known.key] = words, Code.REQUEST_FAILED
            elif (issue := there.get(known.id)) is None:
                lost.append(known)
            elif issue.key != known.key:
                words = f"Jira calls it {issue.key} now; it was moved to another project"
                reasons[known.key] = words, Code.MOVED
            elif not _was_just_created(issue, now):
                reasons[known.key] = "the query no longer finds it", Code.NOT_FOUND_BY_QUERY
    removable, stuck = await _trash_lost_tickets(session, lost, key_locations, is_dry=not prune)
    for known in lost:
        if known.key in stuck:
            words = f"{_DELETED_REASON}; {stuck[known.key]}"
            tally.fail(Note(known.key, key_locations[known.key].path, words, Code.BROKEN))
        elif not prune or known.key not in removable:
            words = _DELETED_REASON if known.key in removable else _EDITED_REASON
            reasons[known.key] = words, Code.NOT_FOUND
    keys = [known.key for known in lost if known.key in removable]
    tally.add_gone(
        [
            Note(known.key, key_locations[known.key].path, *reasons[known.key])
            for known in missing
            if known.key in reasons
        ],
        pruned_keys=keys if prune else (),
        prunable_keys=() if prune else keys,
    )


def _was_just_created(issue: Issue, now: float) -> bool:
    try:
        created = datetime.fromisoformat(str(issue.fields.get("created")))
    except ValueError:  # a server may say anything
        return False
    return now - created.timestamp() < OVERLAP_MINUTES * 60


async def _trash_lost_tickets(
    session: Session,
    lost: Sequence[KnownIssue],
    key_locations: Mapping[str, TicketLocation],
    *,
    is_dry: bool,
) -> tuple[set[str], dict[str, TicketrError]]:
    """Move away the files of tickets that Jira no longer has; their sub-tasks go with them.

    Args:
        session: The workspace.
        lost: The issues.
        key_locations: The location of each key.
        is_dry: Whether to find out only which could be moved.

    Returns:
        The keys of the issues in the files that were moved, and why files could not be read or
        written, by the keys of their tickets.
    """
    pruned: set[str] = set()
    stuck: dict[str, TicketrError] = {}
    for head in (issue for issue in lost if issue.id == issue.head_id):
        path = key_locations[head.key].path
        change = partial(_trash_if_unedited, session, head, path, is_dry=is_dry)
        outcome = await session.in_thread(attempt_change, change)
        if outcome is True:
            pruned |= {issue.key for issue in lost if issue.head_id == head.id}
        elif isinstance(outcome, TicketrError) and not is_dry:
            stuck[head.key] = outcome
    return pruned, stuck


def _trash_if_unedited(session: Session, issue: KnownIssue, path: str, *, is_dry: bool) -> bool:
    """Move a file away and forget its issues, so that a restored issue comes as a new one."""
    base = session.state.base(issue.id)
    if base is None or session.store.write_refusal(path):
        return False
    if is_dry:
        return lf_and_chomp(session.store.read_file(path).text) == lf_and_chomp(base.jira_text)
    if FileEditor(session.store).move_to_trash_if_same(path, issue.key, base.jira_text) is None:
        return False
    session.state.forget(issue.id)
    return True
