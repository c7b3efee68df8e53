"""The user's choices in a conflict, and what they change in the file and in Jira. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from ticketr.app.sync.compare.conflict_parts import ConflictPart, MergedPart, read_lines, shown
from ticketr.app.sync.compare.diff import CorePart, is_text
from ticketr.app.sync.compare.diff3 import CleanChunk, compare_lines
from ticketr.app.sync.compare.merge import ClashPlace, Versions
from ticketr.app.sync.errors import BadChoice

#: A line that begins an item of a list, a row of a table or a quotation.
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s|\s*[|>]")


@dataclass(frozen=True, slots=True)
class Edited:
    """The user's own text for something that clashes.

    Attributes:
        text: The text, as `ConflictPart` shows it; empty for none.
    """

    text: str


#: What the user chooses for a part that clashes: the file's text, Jira's, both, or another one.
Choice: TypeAlias = Literal["mine", "jira", "both"] | Edited


@dataclass(frozen=True, slots=True)
class ConflictSource:
    """What a view of a conflict was made of; a view is out of date if this has changed.

    Attributes:
        text: The ticket's text in its file.
        record: Stands for Jira's version in the state.
        versions: The versions of the ticket.
    """

    text: str
    record: str
    versions: Versions


@dataclass(frozen=True, slots=True)
class ConflictView:
    """A conflict, as a screen shows it.

    Attributes:
        key: The key of the ticket.
        title: Its title in the file.
        path: Its file, relative to the workspace.
        line: The line of its heading there, from 1.
        synced: When the last sync of it began, by Jira's clock, in seconds since the epoch; None
            for no sync.
        updated: When Jira's version was last changed, as Jira writes it; empty if unknown.
        author: Who changed it in Jira; None if unknown: Jira names the author of a change only in
            its history, which a pull does not ask for; see `read_last_change`.
        parts: What both sides have changed differently.
        merged: What only one side has changed.
        aside: Where the ticket's text of now would be put aside, relative to the workspace.
        source: What the view was made of.
        changed: The key of the issue of the ticket that was changed last in Jira; empty if
            unknown.
    """

    key: str
    title: str
    path: str
    line: int
    synced: float | None
    updated: str
    author: str | None
    parts: tuple[ConflictPart, ...]
    merged: tuple[MergedPart, ...]
    aside: str
    source: ConflictSource = field(repr=False)
    changed: str = ""


@dataclass(frozen=True, slots=True)
class ChosenPart:
    """A part that clashes, with the user's choice.

    Attributes:
        part: What clashes.
        choice: What the user chose.
        lines: The lines that it gets.
    """

    part: ConflictPart
    choice: Choice
    lines: tuple[str, ...] = field(repr=False)

    @property
    def text(self) -> str:
        """The text of these lines, as `ConflictPart` shows texts."""
        return shown(self.part.place.part, self.lines)


@dataclass(frozen=True, slots=True)
class Resolution:
    """A conflict with the user's choices.

    Attributes:
        view: The conflict.
        chosen: What is chosen.
        left: What remains to be chosen.
    """

    view: ConflictView
    chosen: tuple[ChosenPart, ...]
    left: tuple[ConflictPart, ...]

    def lines(self) -> dict[ClashPlace, tuple[str, ...]]:
        """Return the lines of each clash that is chosen, by its place."""
        return {part.part.place: part.lines for part in self.chosen}


@dataclass(frozen=True, slots=True)
class FileChange:
    """A change of the file.

    Attributes:
        name: What changes, as in `ConflictPart`.
        before: Its text; empty for none.
        after: Its text afterwards; empty for none.
    """

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What carrying out a resolution would do.

    Jira gets nothing before the next push.

    Attributes:
        path: The file, relative to the workspace.
        writes: What changes in the file.
        pushed: The names of what goes to Jira with the next push.
        aside: Where the text of now is put aside, relative to the workspace; empty if the file
            does not change.
        left: The names of what remains to be chosen.
    """

    path: str
    writes: tuple[FileChange, ...]
    pushed: tuple[str, ...]
    aside: str
    left: tuple[str, ...]


def choose(view: ConflictView, choices: Mapping[str, Choice]) -> Resolution:
    """Choose a text for each part that clashes.

    Args:
        view: The conflict.
        choices: What the user wants, by the IDs of the parts; some may be left.

    Raises:
        BadChoice: There is no such part, or it cannot hold such a text.
    """
    unknown = choices.keys() - {part.id for part in view.parts}
    if unknown:
        raise BadChoice(view.key, min(unknown), "nothing of that name clashes")
    chosen = (
        ChosenPart(part, choice, tuple(_lines(view.key, part, choice)))
        for part in view.parts
        if (choice := choices.get(part.id)) is not None
    )
    remaining = tuple(part for part in view.parts if part.id not in choices)
    return Resolution(view, tuple(chosen), remaining)


def choose_all(view: ConflictView, side: Literal["mine", "jira"]) -> Resolution:
    """Choose one side for each part that clashes."""
    return choose(view, {part.id: side for part in view.parts})


def preview(resolution: Resolution) -> Preview:
    """Return what carrying out a resolution would do, as far as it is chosen."""
    view = resolution.view
    writes = tuple(_writes(resolution))
    mine = [part.part.name for part in resolution.chosen if part.text != part.part.jiras]
    pushed = (*mine, *(part.name for part in view.merged if part.side == "mine"))
    remaining_names = tuple(part.name for part in resolution.left)
    return Preview(view.path, writes, pushed, view.aside if writes else "", remaining_names)


def _writes(resolution: Resolution) -> Iterator[FileChange]:
    """Yield what the chosen texts, and what merges by itself, change in the file."""
    for chosen_part in resolution.chosen:
        if chosen_part.text != chosen_part.part.yours:
            yield FileChange(chosen_part.part.name, chosen_part.part.yours, chosen_part.text)
    for part in resolution.view.merged:
        if part.side == "jira":
            yield FileChange(part.name, part.before, part.after)


def _lines(key: str, part: ConflictPart, choice: Choice) -> Sequence[str]:
    """Return the lines that a choice gives a part."""
    if isinstance(choice, Edited):
        return _edited(key, part, choice.text)
    if choice == "both":
        if not part.can_both:
            raise BadChoice(key, part.name, "it cannot hold both texts; choose one, or edit it")
        return _lines_of_both(part.chunk.local, part.chunk.remote)
    lines = {"mine": part.chunk.local, "jira": part.chunk.remote}.get(choice)
    if lines is None:  # from a caller without a type checker: no side is taken by mistake
        raise BadChoice(key, part.name, f"{choice!r} is not a choice; take mine, jira or both")
    return lines


def _edited(key: str, part: ConflictPart, text: str) -> Sequence[str]:
    """Return the lines of the user's own text, with the blank lines before it that were there."""
    which = part.place.part
    lines = read_lines(which, text)
    if is_text(which):
        blank = 0
        old = part.chunk.local or part.chunk.remote
        while lines and blank < len(old) and not old[blank].strip():
            blank += 1
        return [*old[:blank], *lines]
    if len(lines) > 1:
        raise BadChoice(key, part.name, "it is one line")
    if not lines and which is CorePart.TITLE:
        raise BadChoice(key, part.name, "a ticket needs one")
    return lines or [""]


def _lines_of_both(local: Sequence[str], remote: Sequence[str]) -> list[str]:
    """Return the lines of both sides, those of the file first; common lines once."""
    lines: list[str] = []
    for chunk in compare_lines(local, remote):
        if isinstance(chunk, CleanChunk):
            lines += chunk.lines
        else:
            lines += (*chunk.local, *_lines_to_append(chunk.local, chunk.remote))
    return lines


def _lines_to_append(first: Sequence[str], second: Sequence[str]) -> Sequence[str]:
    """Return the lines to put after others, without blank lines between two items of a list."""
    start = next((at for at, line in enumerate(second) if line.strip()), len(second))
    are_items = first and second[start:] and _ITEM.match(first[-1]) and _ITEM.match(second[start])
    return second[start:] if are_items else second
