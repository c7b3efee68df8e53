"""Finds Markdown in edits that Jira gets as plain text, such as a mistyped short form. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from ticketr.app.jira import adf
from ticketr.app.sync.compare.comments import TextPart
from ticketr.app.sync.compare.diff import Change, CorePart, Part, by_key
from ticketr.app.sync.compare.grafting import PictureFile, new_pictures
from ticketr.app.sync.edits.local_changes import LocalChange, draft_changes
from ticketr.app.tickets import Ticket

#: Returns the line of the file that a line of a text is in; 0 if it is not known.
Place: TypeAlias = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class LiteralText:
    """A piece of Markdown that Jira gets as plain text.

    Attributes:
        key: The key of its issue; empty for a draft.
        title: The title of its issue.
        path: Its file, relative to the workspace.
        reason: The part, the line, the piece, and what becomes of it.
    """

    key: str
    title: str
    path: str
    reason: str


def find_literals(local_change: LocalChange) -> tuple[LiteralText, ...]:
    """Return the pieces in the edits and drafts of a ticket."""
    ticket, path = local_change.local.ticket, local_change.local.path
    here = by_key(ticket)
    edited = [(here[key], changes) for key, changes in local_change.edits.items() if key in here]
    drafts = (*((ticket,) if local_change.head is None else ()), *local_change.drafts)
    edited += ((draft, draft_changes(draft)) for draft in drafts)
    return tuple(
        LiteralText(issue.key or "", issue.title, path, reason)
        for issue, changes in edited
        # What is attached to an issue by now is not known without a request.
        for reason in literal_pieces(
            issue,
            changes,
            path,
            files=adf.BY_NAME if issue.key else {},
            pictures=local_change.pictures,
        )
    )


def literal_pieces(
    issue: Ticket,
    changes: Iterable[Change],
    path: str,
    *,
    files: Mapping[str, str],
    pictures: Mapping[str, PictureFile],
) -> Iterator[str]:
    """Yield the part, the line and the fate of each piece in some changes of an issue.

    Args:
        issue: The issue in its file.
        changes: Its changes.
        path: Its file; empty to count lines from the beginning of the text.
        files: The media ID of each file that is attached to the issue, by its name.
        pictures: The files on disk that descriptions show, by their addresses.
    """
    for change, text, place in changed_texts(issue, changes):
        is_description = change.part is CorePart.DESCRIPTION and pictures
        new = new_pictures(text, change.old) if is_description else ()
        fates = {text: pictures[text].problem for text in new if text in pictures}
        for piece in adf.unconverted_pieces(
            text, before=change.old_shown, files=files, pictures=fates
        ):
            line = place(piece.line) if path else 0
            where = f"{path}:{line}: " if line else f"in its line {piece.line}: "
            yield f"{change.name}: {where}“{piece.text}” {piece.reason}"


def changed_texts(issue: Ticket, changes: Iterable[Change]) -> Iterator[tuple[Change, str, Place]]:
    """Yield the changed texts of an issue, each with its change and the places of its lines."""
    for change in changes:
        for text, place in texts_of(issue, change.part):
            yield change, text, place


def texts_of(issue: Ticket, part: Part) -> Iterator[tuple[str, Place]]:
    """Yield the rich texts of a part of an issue, each with the places of its lines."""
    places = issue.places
    if part is CorePart.DESCRIPTION:
        yield issue.description, places.of_description
    elif part is CorePart.CRITERIA:
        for number, text in enumerate(issue.acceptance_criteria):
            yield text, partial(places.of_criterion, number)
    elif isinstance(part, TextPart):
        yield issue.texts.get(part.name, ""), partial(places.of_text, part.name)
