"""Adds comments and links, and finds out which comments whose answers were lost Jira has."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import Issue, JiraError, RateLimited, Rejected, certainly_failed
from ticketr.app.sync.compare.comments import COMMENT_FIELD, comments_field
from ticketr.app.sync.compare.sent import SentComment
from ticketr.app.sync.concurrency import TRIES, passes_soon
from ticketr.app.sync.push.payload import CommentWrite, LinkWrite

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


async def wait_for_late_requests(session: Session, what: str, *, sent: float | None = None) -> None:
    """Wait until no request that was sent by a time can still reach Jira.

    Args:
        session: The workspace and the site.
        what: What is found out by that, such as ``finding out whether a file was attached``.
        sent: When the last of them was sent, on Trio's clock; None if an earlier run sent them.

    Cancellation:
        Takes effect at once.
    """
    since = session.began if sent is None else sent
    left = since + session.job.late_request_window - trio.current_time()
    if left > 0:
        session.progress.wait(left, what)
        await trio.sleep(left)


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


#: The entity property of a comment that holds the marker.
PROPERTY = "ticketr.created"
#: Seconds after which a request has ended, even if it was sent late because of a rate limit.
LONG_AGO = 3600.0


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
    asked = SentComment(
        marker=uuid.uuid4().hex,
        issue=issue,
        key=key,
        text=write.text,
        body=json.dumps(write.body),
        account=session.account,
        after=after,
        sent=time.time(),
    )
    for remaining_tries in reversed(range(TRIES)):
        asked = replace(asked, sent=time.time())
        await session.in_thread(comments.put, asked)
        try:
            number = await _request(session, asked, write)
        except RateLimited as error:
            refused = error
        else:
            with trio.CancelScope(shield=True):  # one short write
                await session.in_thread(comments.put, replace(asked, id=number))
            return
        if await _is_there(session, asked):
            return
        if not remaining_tries or not passes_soon(refused):
            raise refused


async def _request(session: Session, asked: SentComment, write: CommentWrite) -> str:
    """Send one new comment and return its number; on an error, record what is known of it."""
    comments = session.state.comments
    try:
        return await session.jira.add_comment(
            asked.key, write.body, properties={PROPERTY: asked.marker}
        )
    except JiraError as error:
        with trio.CancelScope(shield=True):  # one short write
            if certainly_failed(error, {"comment"}):
                await session.in_thread(comments.forget, [asked.marker])
            elif isinstance(error, RateLimited) or (isinstance(error, Rejected) and error.is_jiras):
                await session.in_thread(comments.put, replace(asked, sent=0.0))  # it has ended
        raise


async def _is_there(session: Session, asked: SentComment) -> bool:
    """Look for a comment whose request was refused: Jira may have carried it out."""
    fields = {COMMENT_FIELD: comments_field(await session.jira.comments(asked.key))}
    issue = Issue(asked.issue, asked.key, fields)
    comments = session.state.comments

    def look() -> bool:
        comments.note_found([issue])
        return any(
            comment.marker == asked.marker and comment.id for comment in comments.of([issue])
        )

    return await session.in_thread(look)


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
        over = (one for one in lost if all_over or time.time() - one.sent > LONG_AGO)
        comments.forget([comment.marker for comment in over])
        return [comment for comment in sent if comment.id]

    return await session.in_thread(look)


async def wait_for_late_comments(session: Session) -> None:
    """Wait until no request for a comment of an earlier run can still reach Jira.

    Cancellation:
        Takes effect at once.
    """
    asked = [
        comment for comment in await session.in_thread(session.state.comments.all) if not comment.id
    ]
    if all(time.time() - comment.sent > LONG_AGO for comment in asked):
        return
    keys = ", ".join(sorted({comment.key for comment in asked}))
    await wait_for_late_requests(session, f"finding out whether a comment was added to {keys}")
