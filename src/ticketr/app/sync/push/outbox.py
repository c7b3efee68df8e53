"""Sends what Jira must not carry out twice, and waits until no such request can still reach Jira.

If an answer is lost, Jira is asked whether it has what was sent. A request may also reach Jira late,
`SessionJob.lost_request_life_seconds` seconds at most after it was sent: Jira's gateway times out long
before that.

Comments and files go this way; the state records each before it is sent. A file of the same content
that this workspace has attached to the issue before is used again.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import trio

from ticketr.app import jira
from ticketr.app.sync.compare.attachments import ATTACHMENT_FIELD, jira_attachments, safe_name
from ticketr.app.sync.compare.comments import COMMENT_FIELD, comment_field_value
from ticketr.app.sync.compare.grafting import PictureToAttach
from ticketr.app.sync.compare.sent import OutboxEntry, SentComment
from ticketr.app.sync.concurrency import MAX_JIRA_WRITE_TRIES, is_short_rate_limit
from ticketr.app.sync.push.payload import CommentAddOrEdit, IssuePayload
from ticketr.app.sync.state.journal import EntryT, Outbox, UploadEntry
from ticketr.app.sync.workspace.attachments import OpenPicture, open_picture

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


#: The property of an issue or a comment in Jira that holds the marker of its entry.
MARKER_PROPERTY = "ticketr.created"
#: Seconds after which a request has ended, even if it was sent late because of a rate limit.
REQUEST_ENDED_AFTER_SECONDS = 3600.0

AnswerT = TypeVar("AnswerT")


def cannot_arrive_later(error: jira.JiraError) -> bool:
    """Return whether a request that failed has ended, so that Jira does not get it later.

    It may have carried it out. An answer that is not Jira's own may come from a proxy, which may
    still forward the request.
    """
    return isinstance(error, jira.Rejected) and error.is_from_jira


def may_have_arrived(error: jira.JiraError) -> bool:
    """Return whether Jira may carry out a request that has failed.

    A gateway may refuse what Jira carries out, and it is a gateway that limits rates.
    """
    if isinstance(error, jira.Rejected):
        return isinstance(error, jira.RateLimited) or not error.is_from_jira
    return jira.may_have_happened(error)


async def send_once(
    send: Callable[[], Awaitable[AnswerT]], find: Callable[[], Awaitable[AnswerT | None]]
) -> AnswerT:
    """Send a request; if Jira may have carried it out, look for that before it is sent again.

    Args:
        send: Sends the request, and returns Jira's answer.
        find: Returns the answer if Jira has what was sent, and otherwise None.

    Raises:
        JiraError: Jira does not have it, or that is unknown.

    Cancellation:
        Takes effect at once; Jira may have it.
    """
    for remaining_tries in reversed(range(MAX_JIRA_WRITE_TRIES)):
        try:
            return await send()
        except jira.AuthenticationFailed:  # to look for it would fail, too
            raise
        except jira.JiraError as error:
            failure = error
        if may_have_arrived(failure) and (answer := await find()) is not None:
            return answer
        if not remaining_tries or not is_short_rate_limit(failure):
            raise failure
    raise AssertionError  # pragma: no cover - the last try returns or raises


async def send_entry(
    session: Session,
    outbox: Outbox[EntryT],
    entry: EntryT,
    send: Callable[[], Awaitable[str]],
    find: Callable[[], Awaitable[str | None]],
    *,
    sent_field_ids: Collection[str] = (),
) -> str:
    """Send a request as `send_once` does, and record it before, and what is known of it after.

    Args:
        session: The workspace and the site.
        outbox: Where it is recorded.
        entry: The request.
        send: Sends it, and returns Jira's ID of what it has added.
        find: Returns that ID if Jira has it, and otherwise None.
        sent_field_ids: The IDs of the fields that are sent.

    Returns:
        The ID.

    Raises:
        JiraError: Jira does not have it, or that is unknown.

    Cancellation:
        Takes effect at once. If Jira has it, the next run finds it.
    """

    async def send_recorded() -> str:
        sent_entry = replace(entry, sent=time.time())
        await session.in_thread(outbox.put, sent_entry)
        try:
            return await send()
        except jira.JiraError as error:
            with trio.CancelScope(shield=True):  # one short write
                if jira.certainly_failed(error, sent_field_ids):
                    await session.in_thread(outbox.forget, sent_entry)
                elif cannot_arrive_later(error):
                    await session.in_thread(outbox.put, replace(sent_entry, sent=0.0))
            raise

    answer = await send_once(send_recorded, find)
    with trio.CancelScope(shield=True):  # one short write
        await session.in_thread(outbox.put, replace(entry, sent=time.time(), id=answer))
    return answer


def has_certainly_ended(entry: OutboxEntry) -> bool:
    """Return whether Jira has certainly finished with a request of an earlier run."""
    return time.time() - entry.sent > REQUEST_ENDED_AFTER_SECONDS


async def wait_out_lost_requests(
    session: Session,
    entries: Iterable[OutboxEntry],
    what: str,
    *,
    since_trio_time: float | None = None,
) -> None:
    """Wait until no request whose answer was lost can still reach Jira.

    Args:
        session: The workspace and the site.
        entries: The requests.
        what: What is found out by that, such as ``finding out whether a file was attached``.
        since_trio_time: When the last of them was sent, on Trio's clock; None if an earlier run sent them,
            which has ended, since this one holds the workspace's lock.

    Cancellation:
        Takes effect at once.
    """
    if since_trio_time is None and all(map(has_certainly_ended, entries)):
        return
    start = session.opened_at_trio_time if since_trio_time is None else since_trio_time
    left = start + session.job.lost_request_life_seconds - trio.current_time()
    if left > 0:
        session.progress.report_wait(left, what)
        await trio.sleep(left)


async def add_or_edit_comment(
    session: Session, write: CommentAddOrEdit, *, issue_id: str, key: str, last_comment_id: int
) -> None:
    """Add or change one comment.

    Args:
        session: The workspace and the site.
        write: The comment.
        issue_id: The ID of its issue.
        key: The issue's key.
        last_comment_id: The highest number of the issue's comments before.

    Raises:
        JiraError: Jira refused it, or did not answer.

    Cancellation:
        Takes effect at once. If Jira has the comment, the next run finds it.
    """
    if not write.part.is_new:
        await session.jira.replace_comment_and_visibility(
            key, write.part.id, write.body, visibility=write.visibility
        )
        return
    comments = session.state.comments
    entry = SentComment(
        marker=uuid.uuid4().hex,
        issue=issue_id,
        key=key,
        text=write.text,
        body=write.body,
        account=session.user.account_id,
        after=last_comment_id,
    )
    properties = {MARKER_PROPERTY: entry.marker}
    send = partial(session.jira.add_comment, key, write.body, properties=properties)
    find = partial(_find_comment, session, entry)
    await send_entry(session, comments, entry, send, find, sent_field_ids={"comment"})


async def _find_comment(session: Session, entry: SentComment) -> str | None:
    """Look for a comment that Jira may have added; return its number if Jira has it."""
    issue = await fetch_comments_as_issue(session, entry.issue, entry.key)
    comments = session.state.comments

    def look() -> str | None:
        comments.store_found_ids([issue])
        known = comments.read_entry(entry.issue, entry.marker)
        return known.id or None if known is not None else None

    return await session.in_thread(look)


async def fetch_comments_as_issue(session: Session, issue_id: str, key: str) -> jira.Issue:
    """Return an issue with its comments alone, by its ID and its key."""
    comments = comment_field_value(await session.jira.comments(key))
    return jira.Issue(issue_id, key, {COMMENT_FIELD: comments})


async def find_arrived_and_forget_lost(
    session: Session, issues: Sequence[jira.Issue]
) -> list[SentComment]:
    """Return the new comments of some issues that Jira has already.

    A request whose comment is not there is forgotten, so that it is sent again, once Jira can no
    longer carry it out.

    Args:
        session: The workspace and the site.
        issues: The issues as Jira has them now.
    """
    window_ends_at = session.opened_at_trio_time + session.job.lost_request_life_seconds
    have_all_ended, comments = trio.current_time() >= window_ends_at, session.state.comments

    def look() -> list[SentComment]:
        comments.store_found_ids(issues)
        sent = comments.of(issues)
        lost = (comment for comment in sent if not comment.id)
        # Jira has certainly finished with these requests of an earlier run.
        comments.forget(
            *(comment for comment in lost if have_all_ended or has_certainly_ended(comment))
        )
        return [comment for comment in sent if comment.id]

    return await session.in_thread(look)


async def wait_out_late_comments(session: Session) -> None:
    """Wait until no request for a comment of an earlier run can still reach Jira.

    Cancellation:
        Takes effect at once.
    """
    lost = await session.in_thread(session.state.comments.read_unanswered)
    keys = ", ".join(sorted({comment.key for comment in lost}))
    what = f"finding out whether a comment was added to {keys}"
    await wait_out_lost_requests(session, lost, what)


#: What a name in the address of a picture would be read as something else.
_REPLACED_IN_ATTACHMENT_NAME = re.compile(r"[&%]")


class CannotShowPicture(Exception):
    """Raised when a site does not take a picture, or does not tell its media ID; it says why."""


async def attach_uploads(
    session: Session,
    payload: IssuePayload,
    *,
    issue_id: str,
    key: str,
) -> IssuePayload:
    """Attach the files that texts of an issue show; return what to send with their media IDs.

    Args:
        session: The workspace and the site.
        payload: What is sent of the issue.
        issue_id: The issue's ID.
        key: Its key.

    Raises:
        JiraError: Jira refused a file, or did not answer.
        FileFailed: A file cannot be read any more, or is too large for the site.
        CannotShowPicture: The site does not take attachments, or hides their media IDs.

    Cancellation:
        Takes effect at once. If Jira has the file that was on its way, the next run finds it.
    """
    settings = await session.jira.attachment_settings()
    if not settings.enabled:
        raise CannotShowPicture("attachments are switched off on this site")
    texts: dict[str, str] = {}
    for upload in payload.pictures_to_attach:
        session.progress.report(f"Attaching {upload.path} to {key}...")
        opened = await session.in_thread(
            open_picture, session.store.root, upload.path, settings.max_upload_bytes
        )
        with closing(opened.file):
            uploader = _FileUploader(session, issue_id, key, opened, settings.max_upload_bytes)
            attachment = await uploader.ensure_attachment_id()
        texts[upload.fake_media_id] = await _fetch_media_id(session, attachment, upload)
    return replace(
        payload,
        fields={
            name: jira.adf.with_replaced_media_ids(value, texts)
            for name, value in payload.fields.items()
        },
        values=tuple(
            replace(value, value=jira.adf.with_replaced_media_ids(value.value, texts))
            for value in payload.values
        ),
        comments=tuple(
            replace(comment, body=jira.adf.with_replaced_media_ids(comment.body, texts))
            for comment in payload.comments
        ),
    )


async def _fetch_media_id(session: Session, attachment: str, picture: PictureToAttach) -> str:
    known: dict[str, str] = await session.in_thread(session.state.media.of, [attachment])
    if attachment in known:
        return known[attachment]
    identity = await session.jira.media_id(attachment)
    if not identity:
        raise CannotShowPicture(
            f"{picture.path} was attached, but the site does not tell by which ID a description "
            "shows it; show it in Jira instead"
        )
    await session.in_thread(session.state.media.put, {attachment: identity})
    return identity


@dataclass(frozen=True, slots=True)
class _FileUploader:
    """Attaches one file to one issue.

    Attributes:
        session: The workspace and the site.
        issue_id: The issue's ID.
        key: Its key.
        picture: The file.
        max_bytes: The most bytes that the site takes, if it says so.
    """

    session: Session
    issue_id: str
    key: str
    picture: OpenPicture
    max_bytes: int | None

    async def ensure_attachment_id(self) -> str:
        """Attach the file unless the issue has it; return the ID of the attachment."""
        session, uploads = self.session, self.session.state.uploads
        upload: UploadEntry | None = await session.in_thread(
            uploads.read_entry, self.issue_id, self.picture.digest
        )
        attached = await self._fetch_attachments()
        if upload is not None:
            attachment = _attachment_id_of(upload, attached)
            if not attachment and not upload.id:
                what = f"finding out whether a file was attached to {self.key}"
                await wait_out_lost_requests(session, [upload], what)
                attached = await self._fetch_attachments()
                attachment = _attachment_id_of(upload, attached)
            if attachment:
                await session.in_thread(uploads.put, replace(upload, id=attachment))
                return attachment
        entry = UploadEntry(
            marker=self.picture.digest,
            issue=self.issue_id,
            name=_free_attachment_name(self.picture.name, [one.name for one in attached]),
            size=self.picture.size,
            account=session.user.account_id,
        )
        send, find = partial(self._send, entry), partial(self._find, entry)
        return await send_entry(session, uploads, entry, send, find)

    async def _send(self, entry: UploadEntry) -> str:
        """Send the file once, and return the ID of the attachment."""
        session = self.session
        upload = jira.Upload(
            self.picture.file,
            entry.name,
            entry.size,
            limit=self.max_bytes,
            in_thread=session.in_thread,
        )
        try:
            attached = await session.jira.add_attachment(self.key, upload)
        except OSError as error:  # it was cut while it was sent
            with trio.CancelScope(shield=True):  # one short write
                await session.in_thread(session.state.uploads.forget, entry)
            raise CannotShowPicture(f"{self.picture.name}: {error}") from error
        if not attached:  # the entry stays, so the next run looks for it
            raise CannotShowPicture(f"the site took {entry.name} without naming it; push again")
        return attached[0].id

    async def _find(self, entry: UploadEntry) -> str | None:
        return _attachment_id_of(entry, await self._fetch_attachments()) or None

    async def _fetch_attachments(self) -> Sequence[jira.Attachment]:
        answer = await self.session.jira.bulk_fetch([self.issue_id], fields=[ATTACHMENT_FIELD])
        return [
            attachment for issue in answer.issues for attachment in jira_attachments(issue.fields)
        ]


def _attachment_id_of(upload: UploadEntry, attached: Iterable[jira.Attachment]) -> str:
    """Return the ID of the attachment that an upload has made; empty if the issue has none.

    It is found by its name, which no attachment of the issue had before.
    """
    for attachment in attached:
        if upload.id:
            is_sent = attachment.id == upload.id
        else:
            is_same = (attachment.name, attachment.size) == (upload.name, upload.size)
            is_sent = is_same and attachment.author_id in {"", upload.account}
        if is_sent:
            return attachment.id
    return ""


def _free_attachment_name(name: str, taken: Collection[str]) -> str:
    """Return a name that no attachment has: a name of several stands for none of them."""
    wanted = _REPLACED_IN_ATTACHMENT_NAME.sub("_", safe_name(name))
    stem, dot, ending = wanted.rpartition(".")
    names = (f"{stem} ({number}){dot}{ending}" for number in range(2, len(taken) + 3))
    return next(text for text in (wanted, *names) if text not in taken)
