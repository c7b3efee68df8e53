"""Lists attachments, and downloads those that are not in their folders yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from ticketr.app.jira import CHUNK_BYTES, Attachment, AuthenticationFailed, JiraError
from ticketr.app.sync.compare.attachments import ATTACHMENT_FIELD, jira_attachments, size_text
from ticketr.app.sync.concurrency import BULK_FETCH_SIZE, chunks
from ticketr.app.sync.errors import FileFailed
from ticketr.app.sync.notes import Code, Note
from ticketr.app.sync.workspace.attachments import DownloadBeingWritten, find_missing_and_blocked
from ticketr.app.sync.workspace.store import ATTACHMENT_FOLDER

if TYPE_CHECKING:
    from ticketr.app.sync.session import Session


#: Why an attachment is not downloaded.
_NAME_TAKEN_REASON = "other files of its name are in the way; move them away"
_UNKNOWN_SIZE_REASON = "Jira does not say how many bytes it has, so it is not downloaded"


@dataclass(frozen=True, slots=True)
class AttachmentLists:
    """The attachments of some issues.

    Attributes:
        attachments_by_key: Those of each issue, by its key.
        failed: A note on each issue that Jira does not give.
    """

    attachments_by_key: Mapping[str, tuple[Attachment, ...]]
    failed: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class AttachmentTransferResult:
    """What a download or an upload of attachments did.

    Attributes:
        done: The files that were downloaded, relative to the workspace, or uploaded, as they were
            named.
        unchanged: How many files were there already.
        failed: A note on each file or issue that failed.
    """

    done: tuple[str, ...] = ()
    unchanged: int = 0
    failed: tuple[Note, ...] = ()


async def fetch_attachment_lists(session: Session, keys: Sequence[str]) -> AttachmentLists:
    """Fetch what is attached to issues, by their keys.

    Raises:
        JiraError: A request failed.
    """
    attachments: dict[str, tuple[Attachment, ...]] = {}
    failed: list[Note] = []
    for chunk in chunks(keys, BULK_FETCH_SIZE):
        answer = await session.jira.bulk_fetch(chunk, fields=[ATTACHMENT_FIELD], partly=True)
        for issue in (*answer.issues, *answer.renamed):
            attachments[issue.key] = jira_attachments(issue.fields)
        missing = () if answer.renamed else answer.missing
        failed += (
            Note(key, "", "Jira does not have it, or you may not see it", Code.NOT_FOUND)
            for key in missing
        )
        failed += (
            Note(key, "", words, Code.REQUEST_FAILED) for key, words in answer.failed.items()
        )
    return AttachmentLists(attachments, tuple(failed))


async def download_missing(
    session: Session,
    attachments_by_key: Mapping[str, Sequence[Attachment]],
    paths_by_key: Mapping[str, str],
    done: list[str],
) -> AttachmentTransferResult:
    """Download attachments that are not in their folders yet.

    Args:
        session: The workspace and the site.
        attachments_by_key: The attachments of each issue, by its key.
        paths_by_key: The file of each key, relative to the workspace.
        done: Gets each file as soon as it is complete.

    Returns:
        What was done. A file that is in the way, or that cannot be read or written, is noted.
    """
    root, failed, unchanged = session.store.root, list[Note](), 0
    work: list[tuple[str, Path, Attachment, str]] = []
    for key, attachments in attachments_by_key.items():
        folder = root / Path(paths_by_key.get(key, "")).parent / ATTACHMENT_FOLDER / key
        sized = [attachment for attachment in attachments if attachment.size is not None]
        missing, blocked = await session.in_thread(find_missing_and_blocked, folder, sized)
        unchanged += len(sized) - len(missing) - len(blocked)
        work += ((key, folder, attachment, name) for attachment, name in missing)
        where = session.store.relative_path(folder)
        failed += (
            Note(key, where, f"{attachment.name}: {_UNKNOWN_SIZE_REASON}", Code.BROKEN)
            for attachment in attachments
            if attachment.size is None
        )
        failed += (
            Note(key, where, f"{attachment.name}: {_NAME_TAKEN_REASON}", Code.FILE_IN_THE_WAY)
            for attachment in blocked
        )
    meter = TransferMeter(
        session, sum(attachment.size or 0 for _, _, attachment, _ in work), "Downloading"
    )
    for key, folder, attachment, name in work:
        path = session.store.relative_path(folder / name)
        try:
            await _download_one(session, folder, attachment, name, meter)
        except AuthenticationFailed:
            raise
        except (JiraError, FileFailed) as error:
            if isinstance(error, FileFailed) and not error.concerns_one_file:
                raise
            failed.append(Note(key, path, str(error), Code.REQUEST_FAILED))
            continue
        done.append(path)
    return AttachmentTransferResult(tuple(done), unchanged, tuple(failed))


async def _download_one(
    session: Session, folder: Path, attachment: Attachment, name: str, meter: TransferMeter
) -> None:
    file = await session.in_thread(DownloadBeingWritten, session.store.root, folder, name)
    try:
        size = attachment.size or 0  # one without a size does not come here
        for start in range(0, size, CHUNK_BYTES):
            end = min(start + CHUNK_BYTES, size)
            portion = await session.jira.read_attachment(attachment.id, start, end)
            await session.in_thread(file.write, portion)
            meter.add(len(portion), name)
        await session.in_thread(file.link_to_target)
    finally:
        with trio.CancelScope(shield=True):  # one short visit to the disk
            await session.in_thread(file.close)


async def download_known(session: Session) -> AttachmentTransferResult:
    """Download the attachments of all issues that were pulled, beside their files.

    Raises:
        AuthenticationFailed: The site no longer takes the login.
        FileFailed: The disk is full, or the like.

    Cancellation:
        As for `download_missing`; the next pull downloads the rest.
    """
    attachments = await session.in_thread(session.state.attachments_by_key)
    places = await session.in_thread(session.state.paths_and_head_keys_by_key)
    homes = {key: path for key, (path, _) in places.items()}
    return await download_missing(session, attachments, homes, [])


class TransferMeter:
    """Reports how many bytes of attachments were moved, either way."""

    def __init__(self, session: Session, total: int, verb: str) -> None:
        self._progress, self._total, self._verb = session.progress, total, verb
        self._moved = 0

    def add(self, size: int, name: str) -> None:
        """Count bytes."""
        self.report_overall_moved(self._moved + size, name)

    def report_overall_moved(self, overall_moved: int, name: str) -> None:
        """Report how many bytes were moved until now."""
        self._moved = overall_moved
        words = f"{self._verb} {name}: {size_text(overall_moved)} of {size_text(self._total)}"
        self._progress.report(words, overall_moved, self._total)
