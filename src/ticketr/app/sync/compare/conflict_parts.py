"""Lists what clashes between two versions of a ticket, and what merges by itself. Pure.

A rich text is listed by paragraph, the acceptance criteria one by one. The lines of a part are
those of `part_texts`: a criterion is one line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from ticketr.app.sync.compare.comments import TextPart
from ticketr.app.sync.compare.diff import (
    SOFT_END,
    CorePart,
    Part,
    alike,
    by_key,
    is_rich_text,
    is_text,
    part_name,
)
from ticketr.app.sync.compare.diff3 import CleanChunk, ConflictChunk, TakenChunk, merge_chunks
from ticketr.app.sync.compare.merge import Chunk, ClashPlace, PartMerge, Versions, merge, part_lines

#: Who has changed something: the user, or somebody in Jira.
ChangedBy: TypeAlias = Literal["mine", "jira"]

#: The name of a part with a number behind it.
_CRITERIA = "Acceptance criteria"
#: How a further line of a criterion is shown.
_CONTINUED = "\n  "


@dataclass(frozen=True, slots=True)
class ConflictPart:
    """Something that both sides have changed differently.

    Attributes:
        id: Names it in the choices for this conflict.
        name: What people call it: "Title", "Priority", "Description ¶2", "Acceptance criteria 3";
            that of a sub-task begins with its key.
        base: Its text at the last sync; empty for none.
        yours: Its text in the file; empty for none.
        jiras: Its text in Jira; empty for none.
        can_both: Whether it can hold both texts, one after the other.
        place: Where it is.
        chunk: Its lines.
    """

    id: str
    name: str
    base: str
    yours: str
    jiras: str
    can_both: bool
    place: ClashPlace = field(repr=False)
    chunk: ConflictChunk = field(repr=False)


@dataclass(frozen=True, slots=True)
class MergedPart:
    """Something that only one side has changed, so that the user has nothing to choose.

    Attributes:
        name: What people call it, as in `ConflictPart`.
        side: Who has changed it.
        before: Its text at the last sync; empty for none.
        after: Its text now; empty for none.
    """

    name: str
    side: ChangedBy
    before: str
    after: str


def find_parts(versions: Versions) -> tuple[tuple[ConflictPart, ...], tuple[MergedPart, ...]]:
    """List what clashes between the file and Jira, and what merges by itself.

    Returns:
        Both lists, in the order of the file.
    """
    merged = merge(versions.base, versions.local, versions.remote, links=versions.links)
    head = versions.remote.key
    clashing: list[ConflictPart] = []
    others: list[MergedPart] = []
    for part_merge in merged.parts:
        prefix = "" if part_merge.key == head else f"{part_merge.key}: "
        for part in _parts_of(part_merge):
            named = replace(part, name=prefix + part.name)
            if isinstance(named, ConflictPart):
                clashing.append(named)
            else:
                others.append(named)
    here = by_key(versions.local)
    new = (task for task in versions.remote.tasks if task.key not in here)
    others += (MergedPart(f"{task.key}: new", "jira", "", task.title) for task in new)
    return tuple(clashing), tuple(others)


def shown(part: Part, lines: Sequence[str]) -> str:
    """Return lines of a part as people read them, without blank lines around."""
    end = _CONTINUED if part is CorePart.CRITERIA else "\n"
    text = "\n".join(line.replace(SOFT_END, end) for line in lines)
    return text.strip("\n")


def read_lines(part: Part, text: str) -> list[str]:
    """Return the lines of a part, from a text that `shown` returned or a user edited."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if part is CorePart.CRITERIA:
        return part_lines(part, text.strip("\n").replace(_CONTINUED, SOFT_END))
    lines = text.split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    while lines and not lines[-1].strip():
        del lines[-1]
    return lines


def _parts_of(merge: PartMerge) -> Iterator[ConflictPart | MergedPart]:
    """Yield what clashes in a part of an issue, or merges by itself."""
    number = 0
    for name, chunk in _named_chunks(merge.part, _chunks_with_sides(merge)):
        if isinstance(chunk, TakenChunk):
            before, after = (shown(merge.part, lines) for lines in (chunk.base, chunk.lines))
            yield MergedPart(name, "mine" if chunk.is_local else "jira", before, after)
        else:
            yield _part_in_conflict(ClashPlace(merge.key, merge.part, number), name, chunk)
            number += 1


def _part_in_conflict(place: ClashPlace, name: str, chunk: ConflictChunk) -> ConflictPart:
    part = place.part
    base, yours, jiras = (shown(part, pair) for pair in (chunk.base, chunk.local, chunk.remote))
    identity = f"{place.key} {_part_id(part)} {place.number}"
    return ConflictPart(identity, name, base, yours, jiras, is_text(part), place, chunk)


def _part_id(part: Part) -> str:
    # No field's name begins with a hash.
    if isinstance(part, TextPart):
        return f"#text {part.name}"
    return part if isinstance(part, str) else f"#{part.name}"


def _chunks_with_sides(merge: PartMerge) -> Sequence[Chunk]:
    """Return the chunks of a part; each says which side alone has changed it, if one has."""
    part, base, local, remote = merge.part, merge.base, merge.local, merge.remote
    if len(merge.chunks) > 1 or not isinstance(merge.chunks[0], CleanChunk):
        return merge.chunks
    if base is None or alike(part, local, remote):
        return ()
    is_local = alike(part, remote, base)
    if not is_rich_text(part):
        return (TakenChunk((base,), (local if is_local else remote,), is_local),)
    sides = (local, base) if is_local else (base, remote)
    return merge_chunks(*(part_lines(part, text) for text in (base, *sides)))


def _named_chunks(
    part: Part, chunks: Sequence[Chunk]
) -> Iterator[tuple[str, TakenChunk | ConflictChunk]]:
    """Yield the name and the chunk of each difference between the two sides."""
    name = _CRITERIA if part is CorePart.CRITERIA else part_name(part)
    changed = [chunk for chunk in chunks if not isinstance(chunk, CleanChunk)]
    if not is_rich_text(part) or (len(changed) == len(chunks) == 1):
        yield from ((name, chunk) for chunk in changed)
        return
    read = _criteria if part is CorePart.CRITERIA else _paragraphs
    places = list(read(chunks))
    several = Counter(numbers for numbers, _ in places)
    for (numbers, line), chunk in zip(places, changed, strict=True):
        more = f", line {line}" if several[numbers] > 1 else ""
        yield f"{name} {numbers}{more}", chunk


def _criteria(chunks: Iterable[Chunk]) -> Iterator[tuple[str, int]]:
    """Yield the numbers of the criteria in each changed chunk, and the first of them."""
    before = 0
    for chunk in chunks:
        lines = _local_lines(chunk)
        if not isinstance(chunk, CleanChunk):
            yield _range(before + 1, before + max(1, len(lines))), before + 1
        before += len(lines)


def _paragraphs(chunks: Iterable[Chunk]) -> Iterator[tuple[str, int]]:
    """Yield the numbers of the paragraphs in each changed chunk, and its first line."""
    paragraphs, lines_before = 0, -1  # the blank line that `part_lines` adds does not count
    last = ""
    for chunk in chunks:
        lines = _local_lines(chunk)
        if not isinstance(chunk, CleanChunk):
            text = lines or _other_lines(chunk)
            blank = next((at for at, line in enumerate(text) if line.strip()), 0)
            first = max(1, paragraphs + _count(text[: blank + 1], last))
            end = max(first, paragraphs + _count(text, last))
            yield f"¶{_range(first, end)}", lines_before + blank + 1
        paragraphs += _count(lines, last)
        lines_before += len(lines)
        last = lines[-1] if lines else last


def _local_lines(chunk: Chunk) -> Sequence[str]:
    """Return the lines of a chunk in the file."""
    if isinstance(chunk, ConflictChunk):
        return chunk.local
    return chunk.base if isinstance(chunk, TakenChunk) and not chunk.is_local else chunk.lines


def _other_lines(chunk: TakenChunk | ConflictChunk) -> Sequence[str]:
    """Return the lines of a chunk that is not in the file."""
    if isinstance(chunk, ConflictChunk):
        return chunk.remote
    return chunk.base if chunk.is_local else chunk.lines


def _count(lines: Sequence[str], last: str) -> int:
    """Count the paragraphs that begin in some lines; ``last`` is the line before them."""
    pairs = zip([last, *lines], lines, strict=False)
    return sum(1 for before, line in pairs if line.strip() and not before.strip())


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
