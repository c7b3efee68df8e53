"""Attaches the files that descriptions and comments show, each exactly once.

The state records a file before it is sent. If the answer is lost, the next run looks among the
attachments of the issue before it sends the file again. A file of the same content that this
workspace has attached to the issue before is used again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import Attachment, Upload, adf
from ticketr.app.sync.compare.attachments import ATTACHMENT_FIELD, jira_attachments, safe_name
from ticketr.app.sync.compare.grafting import PictureFile
from ticketr.app.sync.push.outbox import send_entry, wait_until_over
from ticketr.app.sync.push.payload import IssuePayload
from ticketr.app.sync.state.outbox import AskedUpload
from ticketr.app.sync.workspace.attachments import OpenPicture, open_picture

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session

#: What a name in the address of a picture would be read as something else.
_NOT_IN_ADDRESSES = re.compile(r"[&%]")


class PictureNotAttached(Exception):
    """Raised when a site does not take a picture, or does not tell its media ID; it says why."""


async def with_uploads(
    session: Session,
    payload: IssuePayload,
    *,
    issue: str,
    key: str,
    on_sending: Callable[[str, str], object],
) -> IssuePayload:
    """Attach the files that texts of an issue show; return what to send with their media IDs.

    Args:
        session: The workspace and the site.
        payload: What is sent of the issue.
        issue: The issue's ID.
        key: Its key.
        on_sending: Called with the key and the path of each file that is about to be sent.

    Raises:
        JiraError: Jira refused a file, or did not answer.
        FileFailed: A file cannot be read any more, or is too large for the site.
        PictureNotAttached: The site does not take attachments, or hides their media IDs.

    Cancellation:
        Takes effect at once. If Jira has the file that was on its way, the next run finds it.
    """
    if not payload.uploads:
        return payload
    settings = await session.jira.attachment_settings()
    if not settings.enabled:
        raise PictureNotAttached("attachments are switched off on this site")
    texts: dict[str, str] = {}
    for upload in payload.uploads:
        session.progress.say(f"Attaching {upload.path} to {key}...")
        opened = await session.in_thread(
            open_picture, session.store.root, upload.path, settings.limit
        )
        with closing(opened.file):
            send = _Uploader(
                session, issue, key, opened, settings.limit, partial(on_sending, key, upload.path)
            )
            attachment = await send.attach()
        texts[upload.mark] = await _media_id(session, attachment, upload)
    return replace(
        payload,
        fields={name: adf.with_media_ids(value, texts) for name, value in payload.fields.items()},
        values=tuple(
            replace(value, value=adf.with_media_ids(value.value, texts)) for value in payload.values
        ),
        comments=tuple(
            replace(comment, body=adf.with_media_ids(comment.body, texts))
            for comment in payload.comments
        ),
    )


async def _media_id(session: Session, attachment: str, picture: PictureFile) -> str:
    known: dict[str, str] = await session.in_thread(session.state.media.of, [attachment])
    if attachment in known:
        return known[attachment]
    identity = await session.jira.media_id(attachment)
    if not identity:
        raise PictureNotAttached(
            f"{picture.path} was attached, but the site does not tell by which ID a description "
            "shows it; show it in Jira instead"
        )
    await session.in_thread(session.state.media.put, {attachment: identity})
    return identity


@dataclass(frozen=True, slots=True)
class _Uploader:
    """Attaches one file to one issue.

    Attributes:
        session: The workspace and the site.
        issue: The issue's ID.
        key: Its key.
        picture: The file.
        limit: The most bytes that the site takes, if it says so.
        on_sending: Called when the file is about to be sent.
    """

    session: Session
    issue: str
    key: str
    picture: OpenPicture
    limit: int | None
    on_sending: Callable[[], object]

    async def attach(self) -> str:
        """Attach the file unless the issue has it; return the ID of the attachment."""
        session, uploads = self.session, self.session.state.uploads
        asked: AskedUpload | None = await session.in_thread(
            uploads.find, self.issue, self.picture.digest
        )
        attached = await self._list_attached()
        if asked is not None:
            attachment = _id_of(asked, attached)
            if not attachment and not asked.id:
                what = f"finding out whether a file was attached to {self.key}"
                await wait_until_over(session, [asked], what)
                attached = await self._list_attached()
                attachment = _id_of(asked, attached)
            if attachment:
                await session.in_thread(uploads.put, replace(asked, id=attachment))
                return attachment
        entry = AskedUpload(
            marker=self.picture.digest,
            issue=self.issue,
            name=_free_name(self.picture.name, [attachment.name for attachment in attached]),
            size=self.picture.size,
            account=session.account,
        )
        send, find = partial(self._send, entry), partial(self._find, entry)
        if attachment := await send_entry(session, uploads, entry, send, find):
            return attachment
        # The site took it without naming it. If this look fails, the next run looks again.
        if attachment := await self._find(entry) or "":
            await session.in_thread(uploads.put, replace(entry, id=attachment))
            return attachment
        await self._forget(entry)
        raise PictureNotAttached(f"the site took {entry.name}, and does not have it")

    async def _send(self, entry: AskedUpload) -> str:
        """Send the file once; return an empty text if the answer does not name it."""
        upload = Upload(
            self.picture.file,
            entry.name,
            entry.size,
            limit=self.limit,
            in_thread=self.session.in_thread,
        )
        self.on_sending()
        try:
            attached = await self.session.jira.add_attachment(self.key, upload)
        except OSError as error:  # it was cut while it was sent
            await self._forget(entry)  # noqa: ASYNC120 - a cancellation wins, and the next run looks for it
            raise PictureNotAttached(f"{self.picture.name}: {error}") from error
        return attached[0].id if attached else ""

    async def _forget(self, entry: AskedUpload) -> None:
        with trio.CancelScope(shield=True):  # one short write
            await self.session.in_thread(self.session.state.uploads.forget, entry)

    async def _find(self, entry: AskedUpload) -> str | None:
        return _id_of(entry, await self._list_attached()) or None

    async def _list_attached(self) -> Sequence[Attachment]:
        answer = await self.session.jira.bulk_fetch([self.issue], fields=[ATTACHMENT_FIELD])
        return [
            attachment for issue in answer.issues for attachment in jira_attachments(issue.fields)
        ]


def _id_of(asked: AskedUpload, attached: Iterable[Attachment]) -> str:
    """Return the ID of the attachment that an upload has made; empty if the issue has none.

    It is found by its name, which no attachment of the issue had before.
    """
    for attachment in attached:
        if asked.id:
            is_sent = attachment.id == asked.id
        else:
            is_same = (attachment.name, attachment.size) == (asked.name, asked.size)
            is_sent = is_same and attachment.author in {"", asked.account}
        if is_sent:
            return attachment.id
    return ""


def _free_name(name: str, taken: Collection[str]) -> str:
    """Return a name that no attachment has: a name of several stands for none of them."""
    wanted = _NOT_IN_ADDRESSES.sub("_", safe_name(name))
    stem, dot, ending = wanted.rpartition(".")
    names = (f"{stem} ({number}){dot}{ending}" for number in range(2, len(taken) + 3))
    return next(text for text in (wanted, *names) if text not in taken)
