"""Merges one part of an issue: its title, a field, a rich text or its criteria. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ticketr.app.sync.compare.comments import CommentPart
from ticketr.app.sync.compare.diff import CorePart, Part, alike, is_rich_text
from ticketr.app.sync.compare.diff3 import (
    CleanChunk,
    ConflictChunk,
    TakenChunk,
    compare_lines,
    merge_chunks,
)
from ticketr.app.sync.compare.jira_links import merged_keys

#: A stretch of the lines of a part.
Chunk: TypeAlias = CleanChunk | TakenChunk | ConflictChunk


@dataclass(frozen=True, slots=True)
class ClashPlace:
    """Where two versions of a ticket clash.

    Attributes:
        key: The issue.
        part: The part of it.
        number: Which of the clashes in that part, from 0.
    """

    key: str
    part: Part
    number: int


@dataclass(frozen=True, slots=True)
class PartMerge:
    """A part of an issue, merged as far as both sides do not clash.

    Attributes:
        key: The issue.
        part: The part.
        base: Its text at the last sync; None for no sync.
        local: Its text in the file.
        remote: Its text in Jira.
        chunks: The lines of the result, in order.
    """

    key: str
    part: Part
    base: str | None
    local: str
    remote: str
    chunks: tuple[Chunk, ...]

    def numbered(self) -> Iterator[tuple[ClashPlace, Chunk]]:
        """Yield each chunk with its place; that of a chunk without a clash means nothing."""
        number = 0
        for chunk in self.chunks:
            yield ClashPlace(self.key, self.part, number), chunk
            number += isinstance(chunk, ConflictChunk)


def merge_part(
    key: str, part: Part, base: str | None, local: str, remote: str, *, is_links: bool = False
) -> PartMerge:
    """Merge one part of an issue.

    Args:
        key: The issue.
        part: The part.
        base: Its text at the last sync; None for no sync, so that each difference clashes.
        local: Its text in the file.
        remote: Its text in Jira.
        is_links: Whether it is a line of links, whose keys are merged one by one.
    """
    if is_links and base is not None:
        keys = merged_keys(base, local, remote)
        return PartMerge(key, part, base, local, remote, (CleanChunk((keys,)),))
    return PartMerge(key, part, base, local, remote, _chunks(part, base, local, remote))


def part_lines(part: Part, text: str) -> list[str]:
    """Return the lines of a part to merge; none of an empty one.

    A rich text begins with a blank line, which a ticket does not keep. So its first paragraph is
    the same lines as if another one were before it.
    """
    if not text:
        return []
    is_list = part is CorePart.CRITERIA or not is_rich_text(part)
    return text.split("\n") if is_list else ["", *text.split("\n")]


def _chunks(part: Part, base: str | None, local: str, remote: str) -> tuple[Chunk, ...]:
    """Merge the texts of a part, by line if that is possible."""
    if remote in {local, base}:
        return (CleanChunk((local,)),)
    if base is not None and alike(part, remote, base):
        return (CleanChunk((local,)),)
    if alike(part, local, remote) or (base is not None and alike(part, local, base)):
        return (CleanChunk((remote,)),)
    if isinstance(part, CommentPart):  # one person's words are not mixed with another's
        return (
            ConflictChunk(*(tuple(part_lines(part, text)) for text in (base or "", local, remote))),
        )
    if not is_rich_text(part):
        return (ConflictChunk((base or "",), (local,), (remote,)),)
    if base is None:
        return tuple(compare_lines(part_lines(part, local), part_lines(part, remote)))
    return tuple(merge_chunks(*(part_lines(part, text) for text in (base, local, remote))))
