"""What there is to say after a job, as lines for the screen. Pure."""

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
    """List what should be known after a job: why it failed, and what it says of single tickets.

    The status line has room for the beginning of an error alone, and what to do stands at its end.

    Args:
        ended: The job, which has ended.

    Returns:
        Clean lines, the most pressing first; empty if all is well.
    """
    if ended.status is JobStatus.FAILED and ended.error is not None:
        return tuple(clean(line) for line in f"failed: {ended.error.message}".splitlines())
    result = ended.result
    halves = (result.pull, result.push) if isinstance(result, SyncResult) else (result,)
    return tuple(clean(line) for half in halves for line in _lines(half))


def notice_of(broken: tuple[str, ...]) -> str:
    """Say in one line that files are broken, and of the first of them what is wrong.

    Args:
        broken: What is wrong with each, clean; at least one.
    """
    if len(broken) == 1:
        return broken[0]
    return f"{len(broken)} broken files, n lists them: {broken[0]}"


def _lines(result: object) -> Iterator[str]:
    match result:
        case PullResult():
            yield from _said("conflict", result.conflicts)
            yield from _said("failed", result.failed)
            yield from _said("kept", result.kept)
            yield from _said("gone", result.gone)
        case PushResult():
            yield from _said("conflict", result.conflicts)
            yield from _said("failed", result.failed)
            yield from _said("warning", result.warnings)


def _said(group: str, notes: tuple[Note, ...]) -> Iterator[str]:
    for note in notes:
        yield note.in_group(group)
