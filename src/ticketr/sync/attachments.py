"""The jobs that list, download and upload attachments."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

import trio

from ticketr.jira import (
    LONGEST_WAIT,
    PORTION,
    Attachment,
    AuthenticationFailed,
    JiraError,
    RateLimited,
    Rejected,
    Upload,
    may_have_happened,
)
from ticketr.sync.compare.attachment_names import size_words
from ticketr.sync.errors import FileFailed
from ticketr.sync.jobs import reporting_session
from ticketr.sync.notes import Code, Note
from ticketr.sync.session import PAGE, SessionJob
from ticketr.sync.threads import chunks
from ticketr.sync.workspace.downloads import Download, attachment_folder, missing_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ticketr import JobContext
    from ticketr.jira import AttachmentSettings
    from ticketr.sync.session import Session

#: How many times a file is sent; before each further try Jira certainly does not have it.
TRIES = 3
_FIELD = "attachment"


@dataclass(frozen=True, slots=True)
class AttachmentList:
    """The attachments of some issues.

    Attributes:
        found: Those of each issue, by its key.
        failed: A note on each issue that Jira does not give.
    """

    found: Mapping[str, tuple[Attachment, ...]]
    failed: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class AttachmentResult:
    """What a job with attachments did.

    Attributes:
        done: The files that were downloaded, relative to the workspace, or uploaded, as they were
            named.
        unchanged: How many files were there already.
        failed: A note on each file or issue that failed.
    """

    done: tuple[str, ...] = ()
    unchanged: int = 0
    failed: tuple[Note, ...] = ()


@dataclass(kw_only=True)
class ListAttachmentsJob(SessionJob):
    """A job that lists the attachments of the issues with some keys."""

    verb = "List attachments of"

    keys: Sequence[str]

    @property
    def _subject(self) -> str:
        return ", ".join(self.keys)

    async def execute(self, context: JobContext) -> AttachmentList:
        """Run the job; the queue calls this."""
        async with reporting_session(self, context, lambda: "nothing was changed") as session:
            return await read_attachments(session, self.keys)


@dataclass(kw_only=True)
class GetAttachmentsJob(SessionJob):
    """A job that downloads the attachments of the issues with some keys.

    Cancellation:
        Takes effect at once, inside a running request too. Whole files stay; of others nothing does.
    """

    verb = "Download attachments of"

    keys: Sequence[str]
    _done: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def _subject(self) -> str:
        return ", ".join(self.keys)

    async def execute(self, context: JobContext) -> AttachmentResult:
        """Run the job; the queue calls this."""
        done = self._done
        done.clear()
        async with reporting_session(self, context, lambda: _files(len(done))) as session:
            listed = await read_attachments(session, self.keys)
            layout = await session.layout()
            homes = {key: location.path for key, location in layout.locations.items()}
            result = await download(session, listed.found, homes, done)
        words = f"Downloaded {_files(len(done))}"
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

    verb = "Attach files to"

    key: str
    files: Sequence[Path]
    _done: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def _subject(self) -> str:
        return self.key

    async def execute(self, context: JobContext) -> AttachmentResult:
        """Run the job; the queue calls this."""
        done = self._done
        done.clear()
        async with reporting_session(self, context, lambda: _files(len(done))) as session:
            settings = await session.jira.attachment_settings()
            failed = [
                note
                for each in self.files
                if (note := await _add(session, self.key, each, settings, done)) is not None
            ]
        session.progress.say(f"Attached {_files(len(done))} to {self.key}")
        return AttachmentResult(tuple(done), failed=tuple(failed))


async def read_attachments(session: Session, keys: Sequence[str]) -> AttachmentList:
    """Fetch what is attached to issues, by their keys.

    Raises:
        JiraError: A request failed.
    """
    found: dict[str, tuple[Attachment, ...]] = {}
    failed: list[Note] = []
    for some in chunks(keys, PAGE):
        answer = await session.jira.bulk_fetch(some, fields=[_FIELD], partly=True)
        for issue in (*answer.issues, *answer.renamed):
            listed = issue.fields.get(_FIELD)
            read = map(Attachment.read, listed if isinstance(listed, list) else ())
            found[issue.key] = tuple(each for each in read if each is not None)
        missing = () if answer.renamed else answer.missing
        failed += (
            Note(key, "", "Jira does not have it, or you may not see it", Code.MISSING)
            for key in missing
        )
        failed += (Note(key, "", words, Code.UNREACHED) for key, words in answer.failed.items())
    return AttachmentList(found, tuple(failed))


async def download(
    session: Session,
    found: Mapping[str, Sequence[Attachment]],
    homes: Mapping[str, str],
    done: list[str],
) -> AttachmentResult:
    """Download attachments that are not in their folders yet.

    Args:
        session: The workspace and the site.
        found: The attachments of each issue, by its key.
        homes: The file of each key, relative to the workspace.
        done: Gets each file as soon as it is whole.

    Returns:
        What was done. A file that is in the way, or that cannot be read or written, is noted.
    """
    root, failed, unchanged = session.store.root, list[Note](), 0
    work: list[tuple[str, Path, Attachment, str]] = []
    for key, attachments in found.items():
        folder = attachment_folder(root, homes.get(key, ""), key)
        missing, blocked = await session.in_thread(missing_files, folder, attachments)
        unchanged += len(attachments) - len(missing) - len(blocked)
        work += ((key, folder, each, name) for each, name in missing)
        failed += (
            Note(
                key,
                _name(folder, root),
                f"{each.name}: other files of its name are in the way; move them away",
                Code.KEPT,
            )
            for each in blocked
        )
    meter = _Meter(session, sum(each.size for _, _, each, _ in work), "Downloading")
    for key, folder, attachment, name in work:
        try:
            await _download_one(session, folder, attachment, name, meter)
        except AuthenticationFailed:
            raise
        except (JiraError, FileFailed) as error:
            if isinstance(error, FileFailed) and not error.alone:
                raise
            note = Note(key, _name(folder / name, root), str(error), Code.UNREACHED)
            failed.append(note)
            continue
        done.append(_name(folder / name, root))
    return AttachmentResult(tuple(done), unchanged, tuple(failed))


async def _download_one(
    session: Session, folder: Path, attachment: Attachment, name: str, meter: _Meter
) -> None:
    file = await session.in_thread(Download, session.store.root, folder, name)
    try:
        for start in range(0, attachment.size, PORTION):
            end = min(start + PORTION, attachment.size)
            portion = await session.jira.read_attachment(attachment.id, start, end)
            await session.in_thread(file.write, portion)
            meter.add(len(portion), name)
        await session.in_thread(file.finish)
    finally:
        with trio.CancelScope(shield=True):  # one short visit to the disk
            await session.in_thread(file.close)


async def _add(
    session: Session, key: str, path: Path, settings: AttachmentSettings, done: list[str]
) -> Note | None:
    """Attach one file; return a note if that failed."""
    name = str(path)
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
            await _upload(session, key, file, path.name, size)
        except AuthenticationFailed:
            raise
        except JiraError as error:
            code = Code.REFUSED if isinstance(error, Rejected) else Code.UNREACHED
            return Note(key, name, str(error), code)
        except OSError as error:
            return Note(key, name, str(error), Code.BROKEN)
    done.append(name)
    return None


async def _upload(session: Session, key: str, file: IO[bytes], name: str, size: int) -> None:
    """Send a file; if its answer is lost, look whether Jira has it before it is sent again.

    Raises:
        JiraError: Jira does not have it, or that is unknown.
    """
    before = await _ids(session, key, name, size)
    meter = _Meter(session, size, "Uploading")
    for left in reversed(range(TRIES)):
        upload = Upload(
            file,
            name,
            size,
            in_thread=session.in_thread,
            on_sent=lambda sent: meter.move(sent, name),
        )
        try:
            await session.jira.add_attachment(key, upload)
        except JiraError as error:
            failure = error
        else:
            return
        is_limited = isinstance(failure, RateLimited)
        is_unsure = is_limited or may_have_happened(failure)
        if is_unsure and await _ids(session, key, name, size) - before:
            return
        waits = isinstance(failure, RateLimited) and (failure.retry_after or 0.0) <= LONGEST_WAIT
        if not left or not waits:
            raise failure


async def _ids(session: Session, key: str, name: str, size: int) -> set[str]:
    """Return the IDs of an issue's attachments that may be a file of ours."""
    listed = await read_attachments(session, [key])
    return {
        each.id
        for attachments in listed.found.values()
        for each in attachments
        if (each.name, each.size) == (name, size) and each.author in {"", session.account}
    }


def _open(path: Path) -> tuple[IO[bytes], int]:
    """Open a regular file; a named pipe would wait for ever.

    Raises:
        OSError: It cannot be read, or is something else.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    file = os.fdopen(descriptor, "rb")
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        file.close()
        raise OSError("it is no file")
    return file, found.st_size


class _Meter:
    """Reports how many bytes were moved."""

    def __init__(self, session: Session, total: int, verb: str) -> None:
        self._progress, self._total, self._verb = session.progress, total, verb
        self._moved = 0

    def add(self, size: int, name: str) -> None:
        """Count bytes."""
        self.move(self._moved + size, name)

    def move(self, moved: int, name: str) -> None:
        """Report how many bytes were moved until now."""
        self._moved = moved
        words = f"{self._verb} {name}: {size_words(moved)} of {size_words(self._total)}"
        self._progress.move(moved, self._total, words)


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def _files(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"
