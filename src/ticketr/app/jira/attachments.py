"""Lists, downloads and uploads the attachments of issues."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import IO, NamedTuple

import trio

from ticketr._lazy import compile_on_use
from ticketr.app.jira.errors import BadAnswer, Redirected, Rejected
from ticketr.app.jira.json_text import RunInThread
from ticketr.app.jira.models import Attachment, read_records
from ticketr.app.jira.rest_api import Endpoints

#: How many bytes are read, sent or requested at once.
CHUNK_BYTES = 1024 * 1024
_CONTENT_RANGE = compile_on_use(r"bytes (\d+)-(\d+)/(\d+)", re.ASCII)
#: The media ID in the address that a site sends to for the content of an attachment.
_MEDIA_ID_IN_ADDRESS = compile_on_use(
    r"/file/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/", re.ASCII
)


class AttachmentSettings(NamedTuple):
    """Whether a site takes attachments.

    Attributes:
        enabled: Whether it does.
        max_upload_bytes: The most bytes of one; None if the site does not tell.
    """

    enabled: bool
    max_upload_bytes: int | None


class AttachmentEndpoints(Endpoints):
    """The client's methods for attachments."""

    async def attachment_settings(self) -> AttachmentSettings:
        """Return whether the site takes attachments, and how large they may be."""
        answer = (await self._api.get("attachment/meta")).object()
        limit = answer.get("uploadLimit")
        is_number = isinstance(limit, int) and not isinstance(limit, bool)
        return AttachmentSettings(answer.get("enabled") is True, limit if is_number else None)

    async def read_attachment(self, attachment: str, start: int, end: int) -> bytes:
        """Return a portion of an attachment.

        Args:
            attachment: Its ID.
            start: The first byte, from 0.
            end: The byte behind the last one.

        Raises:
            NotFound: There is no such attachment, or the account may not see it.
            BadAnswer: The answer is another portion.
        """
        path = "attachment/content/{}"
        answer = await self._api.get_any_content(
            path,
            attachment,
            query={"redirect": "false"},
            headers={"range": f"bytes={start}-{end - 1}"},
        )
        body = answer.body
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if answer.status != 206:  # the site sends all of it
            body = body[start:end]
        elif match is None or int(match[1]) != start:
            raise BadAnswer(answer.requested_url, "another portion than the one asked for")
        if len(body) != end - start:
            raise BadAnswer(answer.requested_url, f"{len(body)} bytes instead of {end - start}")
        return body

    async def media_id(self, attachment: str) -> str:
        """Return the ID by which documents refer to an attachment; empty if the site tells none.

        The record of an attachment does not have it. But the site sends to an address that has it
        for the content, which is not fetched.

        Args:
            attachment: Its ID.

        Raises:
            NotFound: There is no such attachment, or the account may not see it.
        """
        headers = {"range": "bytes=0-0"}  # of a site that does not send elsewhere
        query = {"redirect": "true"}
        try:
            await self._api.get_any_content(
                "attachment/content/{}", attachment, query=query, headers=headers
            )
        except Redirected as error:
            match = _MEDIA_ID_IN_ADDRESS.search(error.location)
            return match[1] if match else ""
        return ""

    async def add_attachment(self, key: str, upload: Upload) -> tuple[Attachment, ...]:
        """Attach a file to an issue; it is sent once, in pieces.

        After a cancellation, or an error that `may_have_happened`, the site may have it.

        Args:
            key: The issue's key or ID.
            upload: The file.

        Returns:
            What the site has attached.

        Raises:
            Rejected: The account may not attach files, status 403, or the file is too large, 413.
            NotFound: There is no such issue, or the account may not see it.
        """
        try:
            answer = await self._api.write(
                "POST", "issue/{}/attachments", key, issue=key, source=upload, may_be_empty=False
            )
        except Rejected as error:
            if error.status != 413:
                raise
            limit = f" (Jira names {upload.limit:,} bytes as its limit)" if upload.limit else ""
            words = f"{upload.name} has {upload.length:,} bytes{limit}"
            raise replace(error, messages=(words, *error.messages)) from None
        return read_records(Attachment.read, answer.array())


class Upload(AsyncIterator[bytes]):
    """A form with one file, which is read in portions as it is sent.

    It is no generator, which would be left half-run by a cancellation.

    Args:
        file: The open file, to read bytes from its start.
        name: The name that the attachment gets.
        size: How many bytes it has.
        limit: The most bytes that the site says it takes; None if it does not say.
        in_thread: Runs blocking work on a worker thread.
        on_sent: Called with how many bytes of the file were sent until now.
    """

    def __init__(
        self,
        file: IO[bytes],
        name: str,
        size: int,
        *,
        limit: int | None = None,
        in_thread: RunInThread = trio.to_thread.run_sync,
        on_sent: Callable[[int], object] = lambda _: None,
    ) -> None:
        boundary = uuid.uuid4().hex
        quoted = re.sub('["\r\n]', lambda match: f"%{ord(match[0]):02X}", name)
        self._file, self._in_thread, self._on_sent = file, in_thread, on_sent
        self.name, self.length, self.limit = name, size, limit
        self._head = (
            f'--{boundary}\r\ncontent-disposition: form-data; name="file"; filename="{quoted}"\r\n'
            "content-type: application/octet-stream\r\n\r\n"
        ).encode()
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self.headers = {
            "content-type": f"multipart/form-data; boundary={boundary}",
            "x-atlassian-token": "no-check",
        }

    @property
    def body_size(self) -> int:
        """How many bytes the form has."""
        return len(self._head) + self.length + len(self._tail)

    def body_pieces(self) -> AsyncIterator[bytes]:
        """Return an iterator over the pieces of the form, from the first one on."""
        self._rest, self._at = [self._head, self._tail], 0
        return self

    async def __anext__(self) -> bytes:
        if len(self._rest) == 1 and self._at < self.length:
            size = min(CHUNK_BYTES, self.length - self._at)
            piece = await self._read(self._at, size)
            self._at += size
            return piece
        if not self._rest:
            raise StopAsyncIteration
        return self._rest.pop(0)

    async def _read(self, start: int, size: int) -> bytes:
        def read() -> bytes:
            self._file.seek(start)
            return self._file.read(size)

        self._on_sent(start)
        piece: bytes = await self._in_thread(read)
        if len(piece) < size:  # it was cut meanwhile, and the site waits for the rest
            raise OSError("the file became shorter while it was sent")
        return piece
