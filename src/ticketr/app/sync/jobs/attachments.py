"""The jobs that list, download and upload attachments."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ticketr.app.jira import (
    AttachmentSettings,
    AuthenticationFailed,
    JiraError,
    Rejected,
    Upload,
)
from ticketr.app.sync.compare.attachments import size_words
from ticketr.app.sync.jobs.syncing import reporting_session
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.pull.downloading import (
    AttachmentList,
    AttachmentResult,
    Meter,
    download,
    read_attachments,
)
from ticketr.app.sync.push.outbox import may_have_arrived, send_once
from ticketr.app.sync.session import Session, SessionJob

if TYPE_CHECKING:
    from ticketr import JobContext


@dataclass(kw_only=True)
class ListAttachmentsJob(SessionJob):
    """A job that lists the attachments of the issues with some keys."""

    verb = "List attachments"

    keys: Sequence[str]

    @property
    def _subject(self) -> str:
        return f"of {', '.join(self.keys)}"

    async def execute(self, context: JobContext) -> AttachmentList:
        """Run the job; the queue calls this."""
        async with reporting_session(self, context, lambda: "nothing was changed") as session:
            return await read_attachments(session, self.keys)


@dataclass(kw_only=True)
class GetAttachmentsJob(SessionJob):
    """A job that downloads the attachments of the issues with some keys.

    Cancellation:
        Takes effect at once, inside a running request too. Complete files stay; incomplete ones are
        removed.
    """

    verb = "Download attachments"

    keys: Sequence[str]
    _done: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def _subject(self) -> str:
        return f"of {', '.join(self.keys)}"

    async def execute(self, context: JobContext) -> AttachmentResult:
        """Run the job; the queue calls this."""
        done = self._done
        done.clear()
        async with reporting_session(self, context, lambda: _file_count(len(done))) as session:
            listed = await read_attachments(session, self.keys)
            layout = await session.layout()
            homes = {key: location.path for key, location in layout.locations.items()}
            result = await download(session, listed.by_key, homes, done)
        words = f"Downloaded {_file_count(len(done))}"
        session.progress.say(words)
        return AttachmentResult(result.done, result.unchanged, (*listed.failed, *result.failed))


@dataclass(kw_only=True)
class AddAttachmentsJob(SessionJob):
    """A job that attaches files to an issue, one after the other.

    Attributes:
        key: The issue's key.
        files: The files.

    Cancellation:
        Takes effect at once, inside a running request too. Jira may have the file that was on its
        way.
    """

    verb = "Attach files"

    key: str
    files: Sequence[Path]
    _done: list[str] = field(default_factory=list, init=False, repr=False, compare=False)
    _sending: str = field(default="", init=False, repr=False, compare=False)

    @property
    def _subject(self) -> str:
        return f"to {self.key}"

    def _so_far(self) -> str:
        words = f"{_file_count(len(self._done))} attached"
        return f"{words}; Jira may have {self._sending}, too" if self._sending else words

    async def execute(self, context: JobContext) -> AttachmentResult:
        """Run the job; the queue calls this."""
        done, failed = self._done, list[Note]()
        done.clear()
        self._sending = ""
        async with reporting_session(self, context, self._so_far) as session:
            settings = await session.jira.attachment_settings()
            for path in self.files:
                note = await self._add(session, path, settings)
                if note is None:
                    done.append(str(path))
                else:
                    failed.append(note)
        session.progress.say(f"Attached {_file_count(len(done))} to {self.key}")
        return AttachmentResult(tuple(done), failed=tuple(failed))

    async def _add(self, session: Session, path: Path, settings: AttachmentSettings) -> Note | None:
        """Attach one file; return a note if that failed."""
        key, name = self.key, str(path)
        if not settings.enabled:
            return Note(key, name, "attachments are switched off on this site", Code.REFUSED)
        try:
            file, size = await session.in_thread(_open, path)
        except OSError as error:
            reason = f"it cannot be read: {error.strerror or error}"
            return Note(key, name, reason, Code.BROKEN)
        with closing(file):
            if settings.limit is not None and size > settings.limit:
                most = size_words(settings.limit)
                return Note(
                    key, name, f"it has {size_words(size)}; Jira takes {most} at most", Code.REFUSED
                )
            try:
                await self._upload(session, file, path, size, settings.limit)
            except AuthenticationFailed:
                raise
            except JiraError as error:
                code = Code.REFUSED if isinstance(error, Rejected) else Code.UNREACHED
                return Note(key, name, str(error), code)
            except OSError as error:
                return Note(key, name, str(error), Code.BROKEN)
        return None

    async def _upload(
        self, session: Session, file: IO[bytes], path: Path, size: int, limit: int | None
    ) -> None:
        """Send a file; if its answer is lost, look whether Jira has it before it is sent again.

        Raises:
            JiraError: Jira does not have it, or that is unknown.
        """
        key, name = self.key, path.name
        before = await _ids(session, key, name, size)
        meter = Meter(session, size, "Uploading")

        async def send() -> bool:
            upload = Upload(
                file,
                name,
                size,
                limit=limit,
                in_thread=session.in_thread,
                on_sent=lambda sent: meter.move(sent, name),
            )
            self._sending = str(path)
            try:
                await session.jira.add_attachment(key, upload)
            except JiraError as error:
                if not may_have_arrived(error):
                    self._sending = ""
                raise
            return True

        async def find() -> bool | None:
            has_it = bool(await _ids(session, key, name, size) - before)
            self._sending = ""
            return has_it or None

        await send_once(send, find)
        self._sending = ""


async def _ids(session: Session, key: str, name: str, size: int) -> set[str]:
    """Return the IDs of an issue's attachments that may be the file that is sent."""
    listed = await read_attachments(session, [key])
    return {
        attachment.id
        for attachments in listed.by_key.values()
        for attachment in attachments
        if (attachment.name, attachment.size) == (name, size)
        and attachment.author in {"", session.account}
    }


def _open(path: Path) -> tuple[IO[bytes], int]:
    """Open a regular file; a named pipe would wait for ever.

    Raises:
        OSError: It cannot be read, or is something else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    file = os.fdopen(descriptor, "rb")
    file_stat = os.fstat(descriptor)
    if not stat.S_ISREG(file_stat.st_mode):
        file.close()
        raise OSError("it is not a file")
    return file, file_stat.st_size


def _file_count(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"
