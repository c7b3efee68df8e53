"""Lists what clashes between two versions of a ticket, and what the user's choices make of it. Pure.

A rich text is listed by paragraph, the acceptance criteria one by one. The lines of a part are
those of `part_texts`: a criterion is one line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from ticketr.app.sync.compare import diff, diff3
from ticketr.app.sync.compare.merge import ClashPlace, PartMerge, lines_to_merge, merge
from ticketr.app.sync.errors import BadPartChoice

#: Who has changed something: the user, or somebody in Jira.
MineOrJira: TypeAlias = Literal["mine", "jira"]

#: The name of a part with a number behind it.
_CRITERIA_NAME = "Acceptance criteria"
#: How a further line of a criterion is shown.
_SHOWN_CRITERION_NEWLINE = "\n  "


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
        can_hold_both: Whether it can hold both texts, one after the other.
        place: Where it is.
        chunk: Its lines.
    """

    id: str
    name: str
    base: str
    yours: str
    jiras: str
    can_hold_both: bool
    place: ClashPlace = field(repr=False)
    chunk: diff3.Chunk = field(repr=False)


@dataclass(frozen=True, slots=True)
class OneSidedChange:
    """Something that only one side has changed, so that the user has nothing to choose.

    Attributes:
        name: What people call it, as in `ConflictPart`.
        changed_by: Who has changed it.
        before: Its text at the last sync; empty for none.
        after: Its text now; empty for none.
    """

    name: str
    changed_by: MineOrJira
    before: str
    after: str


def find_parts(
    versions: diff.Versions,
) -> tuple[tuple[ConflictPart, ...], tuple[OneSidedChange, ...]]:
    """List what clashes between the file and Jira, and what merges by itself.

    Returns:
        Both lists, in the order of the file.
    """
    merged = merge(
        versions.base, versions.local, versions.remote, link_line_names=versions.link_line_names
    )
    head = versions.remote.key
    clashing: list[ConflictPart] = []
    others: list[OneSidedChange] = []
    for part_merge in merged.parts:
        prefix = "" if part_merge.key == head else f"{part_merge.key}: "
        for part in _parts_of(part_merge):
            named = replace(part, name=prefix + part.name)
            if isinstance(named, ConflictPart):
                clashing.append(named)
            else:
                others.append(named)
    here = diff.issues_by_key(versions.local)
    new = (task for task in versions.remote.tasks if task.key not in here)
    others += (OneSidedChange(f"{task.key}: new", "jira", "", task.title) for task in new)
    return tuple(clashing), tuple(others)


def join_for_display(part: diff.Part, lines: Sequence[str]) -> str:
    """Return lines of a part as people read them, without blank lines around."""
    end = _SHOWN_CRITERION_NEWLINE if part is diff.CorePart.CRITERIA else "\n"
    text = "\n".join(line.replace(diff.CRITERION_NEWLINE, end) for line in lines)
    return text.strip("\n")


def _lines_of_joined_text(part: diff.Part, text: str) -> list[str]:
    """Return the lines of a part, from a text that `join_for_display` returned or a user edited."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if part is diff.CorePart.CRITERIA:
        return lines_to_merge(
            part, text.strip("\n").replace(_SHOWN_CRITERION_NEWLINE, diff.CRITERION_NEWLINE)
        )
    lines = text.split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    while lines and not lines[-1].strip():
        del lines[-1]
    return lines


def _parts_of(merge: PartMerge) -> Iterator[ConflictPart | OneSidedChange]:
    """Yield what clashes in a part of an issue, or merges by itself."""
    part = merge.part
    if diff.are_equivalent(part, merge.local, merge.remote):
        return
    changed = [(at, chunk) for at, chunk in merge.all_placed_chunks() if not chunk.are_sides_same]
    for name, (place, chunk) in zip(_changed_chunk_names(part, merge.chunks), changed, strict=True):
        base, yours, jiras = (
            join_for_display(part, lines) for lines in (chunk.base or (), chunk.local, chunk.remote)
        )
        if chunk.merged is None:
            identity = f"{place.issue_key} {diff.stored_name(part)} {place.clash_index_in_part}"
            can_hold_both = diff.is_markdown(part)
            yield ConflictPart(identity, name, base, yours, jiras, can_hold_both, place, chunk)
        elif chunk.remote == chunk.base:
            yield OneSidedChange(name, "mine", base, yours)
        else:
            yield OneSidedChange(name, "jira", base, jiras)


def _changed_chunk_names(part: diff.Part, chunks: Sequence[diff3.Chunk]) -> list[str]:
    """Return the name of each difference between the two sides of a part."""
    is_criteria = part is diff.CorePart.CRITERIA
    name = _CRITERIA_NAME if is_criteria else diff.part_name(part)
    changed = [chunk for chunk in chunks if not chunk.are_sides_same]
    if not diff.is_merged_by_line(part) or (len(changed) == len(chunks) == 1):
        return [name] * len(changed)
    read = _criteria_numbers_and_first if is_criteria else _paragraph_numbers_and_line
    places = list(read(chunks))
    several = Counter(numbers for numbers, _ in places)
    return [
        f"{name} {numbers}" + (f", line {line}" if several[numbers] > 1 else "")
        for numbers, line in places
    ]


def _criteria_numbers_and_first(chunks: Iterable[diff3.Chunk]) -> Iterator[tuple[str, int]]:
    """Yield the numbers of the criteria in each changed chunk, and the first of them."""
    before = 0
    for chunk in chunks:
        if not chunk.are_sides_same:
            yield _number_range(before + 1, before + max(1, len(chunk.local))), before + 1
        before += len(chunk.local)


def _paragraph_numbers_and_line(chunks: Iterable[diff3.Chunk]) -> Iterator[tuple[str, int]]:
    """Yield the numbers of the paragraphs in each changed chunk, and its first line."""
    paragraphs, lines_before = 0, -1  # the blank line that `lines_to_merge` adds does not count
    last = ""
    for chunk in chunks:
        if not chunk.are_sides_same:
            text = chunk.local or chunk.remote
            blank = next((at for at, line in enumerate(text) if line.strip()), 0)
            first = max(1, paragraphs + _count_paragraph_starts(text[: blank + 1], last))
            end = max(first, paragraphs + _count_paragraph_starts(text, last))
            yield f"¶{_number_range(first, end)}", lines_before + blank + 1
        paragraphs += _count_paragraph_starts(chunk.local, last)
        lines_before += len(chunk.local)
        last = chunk.local[-1] if chunk.local else last


def _count_paragraph_starts(lines: Sequence[str], last: str) -> int:
    """Count the paragraphs that begin in some lines; ``last`` is the line before them."""
    pairs = zip([last, *lines], lines, strict=False)
    return sum(1 for before, line in pairs if line.strip() and not before.strip())


def _number_range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


#: A line that begins an item of a list, a row of a table or a quotation.
_ITEM_ROW_OR_QUOTE_START = re.compile(r"\s*(?:[-*+]|\d+[.)])\s|\s*[|>]")


@dataclass(frozen=True, slots=True)
class ReplacementText:
    """The user's own text for something that clashes.

    Attributes:
        text: The text, as `ConflictPart` shows it; empty for none.
    """

    text: str


#: What the user chooses for a part that clashes: the file's text, Jira's, both, or another one.
Choice: TypeAlias = Literal["mine", "jira", "both"] | ReplacementText


@dataclass(frozen=True, slots=True)
class ConflictView:
    """A conflict, as a screen shows it.

    Attributes:
        key: The key of the ticket.
        title: Its title in the file.
        path: Its file, relative to the workspace.
        title_line: The line of its heading there, from 1.
        synced_at: When the last sync of it began, by Jira's clock, in seconds since the epoch; None
            for no sync.
        updated: When Jira's version was last changed, as Jira writes it; empty if unknown.
        last_changed_by: Who changed it in Jira; None if unknown: Jira names the author of a change
            only in its history, which a pull does not ask for; see `read_last_change`.
        parts: What both sides have changed differently.
        one_sided_changes: What only one side has changed.
        planned_copy_path: Where the ticket's text of now would be put aside, relative to the workspace.
        ticket_text_in_file: The ticket's text in its file. If that has changed, the view is out of date.
        versions: The versions of the ticket; the same.
        last_changed_issue_key: The key of the issue of the ticket that was changed last in Jira; empty
            if unknown.
    """

    key: str
    title: str
    path: str
    title_line: int
    synced_at: float | None
    updated: str
    last_changed_by: str | None
    parts: tuple[ConflictPart, ...]
    one_sided_changes: tuple[OneSidedChange, ...]
    planned_copy_path: str
    ticket_text_in_file: str = field(repr=False)
    versions: diff.Versions = field(repr=False)
    last_changed_issue_key: str = ""


@dataclass(frozen=True, slots=True)
class PartChangeInFile:
    """A change of a part of the ticket in its file.

    Attributes:
        part_name: What changes, as in `ConflictPart`.
        text_in_file: Its text in the file now; empty for none.
        text_once_resolved: Its text once the conflict is resolved; empty for none.
    """

    part_name: str
    text_in_file: str
    text_once_resolved: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """A conflict with the user's choices.

    Jira gets nothing before the next push.

    Attributes:
        view: The conflict.
        lines_by_place: The lines of each clash that is chosen, by its place.
    """

    view: ConflictView
    lines_by_place: Mapping[ClashPlace, tuple[str, ...]]

    @property
    def undecided_parts(self) -> tuple[ConflictPart, ...]:
        """What remains to be chosen."""
        return tuple(part for part in self.view.parts if part.place not in self.lines_by_place)

    def _chosen_texts(self) -> Iterator[tuple[ConflictPart, str]]:
        """Yield each part that is chosen, with its new text as `ConflictPart` shows texts."""
        for part in self.view.parts:
            if part.place in self.lines_by_place:
                yield part, join_for_display(part.place.part, self.lines_by_place[part.place])

    @property
    def part_changes_in_file(self) -> tuple[PartChangeInFile, ...]:
        """What the chosen texts, and what merges by itself, change in the file."""
        chosen = (
            PartChangeInFile(part.name, part.yours, text)
            for part, text in self._chosen_texts()
            if text != part.yours
        )
        merged = (
            PartChangeInFile(part.name, part.before, part.after)
            for part in self.view.one_sided_changes
            if part.changed_by == "jira"
        )
        return (*chosen, *merged)

    @property
    def part_names_to_push(self) -> tuple[str, ...]:
        """The names of what goes to Jira with the next push."""
        chosen = (part.name for part, text in self._chosen_texts() if text != part.jiras)
        merged = (one.name for one in self.view.one_sided_changes if one.changed_by == "mine")
        return (*chosen, *merged)


def choose(view: ConflictView, choices: Mapping[str, Choice]) -> Resolution:
    """Choose a text for each part that clashes.

    Args:
        view: The conflict.
        choices: What the user wants, by the IDs of the parts; some may be left.

    Raises:
        BadPartChoice: There is no such part, or it cannot hold such a text.
    """
    unknown = choices.keys() - {part.id for part in view.parts}
    if unknown:
        raise BadPartChoice(f"{view.key}: {min(unknown)}: nothing of that name clashes")
    lines = {
        part.place: tuple(_chosen_lines(view.key, part, choices[part.id]))
        for part in view.parts
        if part.id in choices
    }
    return Resolution(view, lines)


def _chosen_lines(key: str, part: ConflictPart, choice: Choice) -> Sequence[str]:
    """Return the lines that a choice gives a part."""
    if isinstance(choice, ReplacementText):
        return _lines_of_user_text(key, part, choice.text)
    if choice == "both":
        if not part.can_hold_both:
            raise BadPartChoice(
                f"{key}: {part.name}: it cannot hold both texts; choose one, or edit it"
            )
        return _union_of_lines(part.chunk.local, part.chunk.remote)
    lines = {"mine": part.chunk.local, "jira": part.chunk.remote}.get(choice)
    if lines is None:  # from a caller without a type checker: no side is taken by mistake
        raise BadPartChoice(
            f"{key}: {part.name}: {choice!r} is not a choice; take mine, jira or both"
        )
    return lines


def _lines_of_user_text(key: str, part: ConflictPart, text: str) -> Sequence[str]:
    """Return the lines of the user's own text, with the blank lines before it that were there."""
    which = part.place.part
    lines = _lines_of_joined_text(which, text)
    if diff.is_markdown(which):
        blank = 0
        old = part.chunk.local or part.chunk.remote
        while lines and blank < len(old) and not old[blank].strip():
            blank += 1
        return [*old[:blank], *lines]
    if len(lines) > 1:
        raise BadPartChoice(f"{key}: {part.name}: it is one line")
    if not lines and which is diff.CorePart.TITLE:
        raise BadPartChoice(f"{key}: {part.name}: a ticket needs one")
    return lines or [""]


def _union_of_lines(local: Sequence[str], remote: Sequence[str]) -> list[str]:
    """Return the lines of both sides, those of the file first; common lines once."""
    lines: list[str] = []
    for chunk in diff3.compare_lines(local, remote):
        if chunk.are_sides_same:
            lines += chunk.local
        else:
            lines += _join_without_blanks_between_items(chunk.local, chunk.remote)
    return lines


def _join_without_blanks_between_items(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Join lines to others, without blank lines between two items of a list."""
    start = next((at for at, line in enumerate(second) if line.strip()), len(second))
    are_items = (
        first
        and second[start:]
        and _ITEM_ROW_OR_QUOTE_START.match(first[-1])
        and _ITEM_ROW_OR_QUOTE_START.match(second[start])
    )
    return [*first, *(second[start:] if are_items else second)]
