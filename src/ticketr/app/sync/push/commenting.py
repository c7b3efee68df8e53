"""Adds comments and links, and finds out which comments whose answers were lost Jira has."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import Issue
from ticketr.app.sync.compare.comments import COMMENT_FIELD, comments_field
from ticketr.app.sync.compare.sent import SentComment
from ticketr.app.sync.push.outbox import PROPERTY, is_over, send_entry, wait_until_over
from ticketr.app.sync.push.payload import CommentWrite, LinkWrite

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


async def send_link(session: Session, write: LinkWrite, *, key: str) -> None:
    """Add or remove one link of the issue with a key.

    Raises:
        JiraError: Jira refused it, or did not answer; then Jira may have done it.

    Cancellation:
        Takes effect at once; Jira may have done it.
    """
    if write.remove:
        await session.jira.remove_link(write.remove, issue=key)
        return
    ends = (key, write.key) if write.direction.is_outward else (write.key, key)
    await session.jira.add_link(write.direction.type_id, *ends)


async def send_comment(
    session: Session, write: CommentWrite, *, issue: str, key: str, after: int
) -> None:
    """Add or change one comment.

    Args:
        session: The workspace and the site.
        write: The comment.
        issue: The ID of its issue.
        key: The issue's key.
        after: The highest number of the issue's comments before.

    Raises:
        JiraError: Jira refused it, or did not answer.

    Cancellation:
        Takes effect at once. If Jira has the comment, the next run finds it.
    """
    if not write.part.is_new:
        await session.jira.edit_comment(key, write.part.id, write.body, visibility=write.visibility)
        return
    comments = session.state.comments
    entry = SentComment(
        marker=uuid.uuid4().hex,
        issue=issue,
        key=key,
        text=write.text,
        body=write.body,
        account=session.account,
        after=after,
    )
    properties = {PROPERTY: entry.marker}
    send = partial(session.jira.add_comment, key, write.body, properties=properties)
    find = partial(_find_comment, session, entry)
    await send_entry(session, comments, entry, send, find, fields={"comment"})


async def _find_comment(session: Session, entry: SentComment) -> str | None:
    """Look for a comment that Jira may have added; return its number if Jira has it."""
    issue = await read_comments(session, entry.issue, entry.key)
    comments = session.state.comments

    def look() -> str | None:
        comments.note_found([issue])
        known = comments.find(entry.issue, entry.marker)
        return known.id or None if known is not None else None

    return await session.in_thread(look)


async def read_comments(session: Session, issue: str, key: str) -> Issue:
    """Return an issue with its comments alone, by its ID and its key."""
    return Issue(issue, key, {COMMENT_FIELD: comments_field(await session.jira.comments(key))})


async def known_comments(session: Session, issues: Sequence[Issue]) -> list[SentComment]:
    """Return the new comments of some issues that Jira has already.

    A request whose comment is not there is forgotten, so that it is sent again, once Jira can no
    longer carry it out.

    Args:
        session: The workspace and the site.
        issues: The issues as Jira has them now.
    """
    if not session.columns.comments:
        await trio.lowlevel.checkpoint()
        return []
    over_at = session.began + session.job.late_request_window
    all_over, comments = trio.current_time() >= over_at, session.state.comments

    def look() -> list[SentComment]:
        comments.note_found(issues)
        sent = comments.of(issues)
        lost = (comment for comment in sent if not comment.id)
        # Jira has certainly finished with these requests of an earlier run.
        comments.forget(*(comment for comment in lost if all_over or is_over(comment)))
        return [comment for comment in sent if comment.id]

    return await session.in_thread(look)


async def wait_for_late_comments(session: Session) -> None:
    """Wait until no request for a comment of an earlier run can still reach Jira.

    Cancellation:
        Takes effect at once.
    """
    lost = await session.in_thread(session.state.comments.lost)
    keys = ", ".join(sorted({comment.key for comment in lost}))
    await wait_until_over(session, lost, f"finding out whether a comment was added to {keys}")
