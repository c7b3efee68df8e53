"""The notes of an ended job, as lines for the screen. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr import JobStatus
from ticketr.sync import PullResult, PushResult, SyncResult
from ticketr.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ticketr import JobSnapshot
    from ticketr.sync import Note


def notes_of(ended: JobSnapshot) -> tuple[str, ...]:
    """Return why a job failed, or its notes about single tickets.

    The status line shows only the start of an error, whose advice stands at its end.

    Returns:
        Cleaned lines, the most important first; may be empty.
    """
    if ended.status is JobStatus.FAILED and ended.error is not None:
        return tuple(clean(line) for line in f"failed: {ended.error.message}".splitlines())
    result = ended.result
    halves = (result.pull, result.push) if isinstance(result, SyncResult) else (result,)
    return tuple(clean(line) for half in halves for line in _lines(half))


def notice_of(broken: tuple[str, ...]) -> str:
    """Return how many files are broken, and the error of the first, on one line.

    Args:
        broken: The cleaned errors, at least one.
    """
    if len(broken) == 1:
        return broken[0]
    return f"{len(broken)} broken files, n lists them: {broken[0]}"


def _lines(result: object) -> Iterator[str]:
    match result:
        case PullResult():
            yield from _note_lines("conflict", result.conflicts)
            yield from _note_lines("failed", result.failed)
            yield from _note_lines("kept", result.kept)
            yield from _note_lines("gone", result.gone)
        case PushResult():
            yield from _note_lines("conflict", result.conflicts)
            yield from _note_lines("failed", result.failed)
            yield from _note_lines("warning", result.warnings)


def _note_lines(group: str, notes: tuple[Note, ...]) -> Iterator[str]:
    for note in notes:
        yield note.in_group(group)
