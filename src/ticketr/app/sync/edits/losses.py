"""What of an edited text would not arrive in Jira: what it loses, and what stays literal text. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from ticketr.app.jira import Issue, adf
from ticketr.app.sync.compare import diff
from ticketr.app.sync.compare.comments import AdfComment, jira_comments
from ticketr.app.sync.compare.grafting import (
    GraftedAdf,
    PictureToAttach,
    edited_texts,
    new_local_picture_addresses,
)
from ticketr.app.sync.compare.mapping import removed_links, words_with_keys_upper
from ticketr.app.sync.edits.local_changes import TicketChanges
from ticketr.app.sync.notes import Code, Note
from ticketr.app.tickets import Ticket, is_key
from ticketr.cleaning import clean

if TYPE_CHECKING:
    from ticketr.app.sync.state.state import State


#: What begins a heading in Markdown, and not a title: files of the Go program have such tasks.
_HEADING_SIGNS_IN_TITLE = re.compile(r"#{1,6}\s+(?=\S)")
_MAX_JIRA_TITLE_CHARACTERS = 255
#: Returns the line of the file that a line of a text is in; 0 if it is not known.
FileLineOfTextLine: TypeAlias = Callable[[int], int]


def find_literal_text(local_change: TicketChanges) -> tuple[Note, ...]:
    """Return a note on each piece of the edits and drafts of a ticket that Jira gets as plain text."""
    path = local_change.local.path
    return tuple(
        Note(issue.key or "", path, reason, Code.LITERAL, issue.title)
        for issue, changes in local_change.edits_and_drafts()
        # What is attached to an issue by now is not known without a request.
        for reason in literal_reasons(
            issue,
            changes,
            path,
            media_ids=adf.NAMES_AS_MEDIA_IDS if issue.key else {},
            pictures=local_change.pictures_by_address,
        )
    )


def title_length_problem(title: str) -> str:
    """Return why Jira would refuse a title; empty if it takes it."""
    if (size := len(title)) <= _MAX_JIRA_TITLE_CHARACTERS:
        return ""
    return f"it has {size} characters; Jira takes {_MAX_JIRA_TITLE_CHARACTERS}"


def find_too_long_titles(local_change: TicketChanges) -> tuple[Note, ...]:
    """Return a note on each edit and draft of a ticket that Jira would refuse because of its title."""
    path = local_change.local.path
    return tuple(
        Note(issue.key or "", path, f"Title: {problem}", Code.BAD_VALUE, issue.title, issue.line)
        for issue, changes in local_change.edits_and_drafts()
        if any(change.part is diff.CorePart.TITLE for change in changes)
        and (problem := title_length_problem(issue.title))
    )


def literal_reasons(
    issue: Ticket,
    changes: Iterable[diff.Change],
    path: str,
    *,
    media_ids: Mapping[str, str],
    pictures: Mapping[str, PictureToAttach],
) -> Iterator[str]:
    """Yield the part, the line and the fate of each piece in some changes of an issue.

    Args:
        issue: The issue in its file.
        changes: Its changes.
        path: Its file; empty to count lines from the beginning of the text.
        media_ids: The media ID of each file that is attached to the issue, by its name.
        pictures: The files on disk that descriptions and comments show, by their addresses.
    """
    changes = tuple(changes)
    if _HEADING_SIGNS_IN_TITLE.match(issue.title) and any(
        change.part is diff.CorePart.TITLE for change in changes
    ):
        where = f"{path}:{issue.line}: " if path and issue.line else ""
        plain = clean(_HEADING_SIGNS_IN_TITLE.sub("", issue.title))
        yield f"Title: {where}the marks of a heading become a part of it; write {plain}"
    for change, text, place in changed_texts(issue, changes):
        may_show = pictures and diff.may_show_local_pictures(change.part)
        new = new_local_picture_addresses(text, change.old) if may_show else ()
        problems = {text: pictures[text].problem for text in new if text in pictures}
        for piece in adf.faulty_pieces(
            text, before=change.old_with_newlines, media_ids=media_ids, picture_problems=problems
        ):
            if not piece.is_lost:
                yield f"{change.name}: {piece.describe(path, place(piece.line))}"


def changed_texts(
    issue: Ticket, changes: Iterable[diff.Change]
) -> Iterator[tuple[diff.Change, str, FileLineOfTextLine]]:
    """Yield the changed texts of an issue, each with its change and the places of its lines."""
    for change in changes:
        if isinstance(change.part, diff.CommentPart):
            yield change, change.new, file_line_of_comment(issue, change.part, change.new)
        elif diff.is_markdown(change.part):
            for text, place in texts_of(issue, change.part):
                yield change, text, place


def texts_of(issue: Ticket, part: diff.Part) -> Iterator[tuple[str, FileLineOfTextLine]]:
    """Yield the rich texts of a part of an issue, each with the places of its lines."""
    places = issue.line_numbers
    if part is diff.CorePart.DESCRIPTION:
        yield issue.description, places.of_description
    elif part is diff.CorePart.CRITERIA:
        for number, text in enumerate(issue.acceptance_criteria):
            yield text, partial(places.of_criterion, number)
    elif isinstance(part, diff.RichTextPart):
        yield issue.rich_texts.get(part.name, ""), partial(places.of_text, part.name)


def file_line_of_comment(issue: Ticket, part: diff.CommentPart, text: str) -> FileLineOfTextLine:
    """Return the places of the lines of a comment with a text."""
    comments = (comment for comment in issue.comments if comment.id == part.id)
    first = next((comment.text_line for comment in comments if comment.text == text), 0)
    return lambda line: first + line - 1 if first and line else 0


@dataclass(frozen=True, slots=True)
class Loss:
    """A link, or a piece of a rich text, that a push would remove in Jira.

    Attributes:
        key: The issue.
        path: Its file, relative to the workspace.
        what: The piece, in words; JSON has this name.
        line: The line in the file of the edited block that it would be removed from; 0 if that is
            not known. Not compared, since a merge may move it.
        part: The name of the text, the comment or the line of links; empty for the description.
        is_link: Whether it is a link to another issue. Not compared.
    """

    key: str
    path: str
    what: str
    line: int = field(default=0, compare=False)
    part: str = ""
    is_link: bool = field(default=False, compare=False)

    @property
    def piece_of_part(self) -> str:
        """The piece, with the name of its text unless that is the description; a link says it."""
        return f"{self.what} of {self.part}" if self.part and not self.is_link else self.what

    @property
    def path_and_line(self) -> str:
        """The file, and the line if it is known."""
        return f"{self.path}:{self.line}" if self.line else self.path


#: The losses that a push may cause: all, none, or those that a user has seen and accepted.
AllOrTheseLosses: TypeAlias = "bool | frozenset[Loss]"


def edited_texts_and_losses(
    local_change: TicketChanges,
    issues: Iterable[Issue],
    id_by_section_name: Mapping[str, str],
    *,
    must_fit_schema: bool = False,
) -> tuple[dict[str, tuple[GraftedAdf, ...]], tuple[Loss, ...]]:
    """Return the rich texts to send of a ticket, by key, and what Jira would lose by its edits.

    Args:
        local_change: The edits of the ticket.
        issues: Its issues as Jira has them.
        id_by_section_name: The IDs of the fields with sections of their own.
        must_fit_schema: See `ticketr.app.jira.adf.graft`.
    """
    base, path = local_change.base, local_change.local.path
    if base is None:
        return {}, ()
    before, here = diff.issues_by_key(base), diff.issues_by_key(local_change.local.ticket)
    fields = {issue.key: issue.fields for issue in issues}
    edited: dict[str, tuple[GraftedAdf, ...]] = {}
    lost: list[Loss] = []
    for key, changes in local_change.edits.items():
        if key not in fields or not may_lose(changes):
            continue
        edited[key] = tuple(
            edited_texts(
                before[key],
                here[key],
                (change.part for change in changes),
                fields[key],
                id_by_section_name,
                must_fit_schema=must_fit_schema,
                pictures=local_change.pictures_by_address,
            )
        )
        for text in edited[key]:
            name = "" if text.part is diff.CorePart.DESCRIPTION else text.name
            lost += (Loss(key, path, piece.what, piece.line, name) for piece in text.losses)
        lost += _comment_and_link_losses(key, path, changes, fields[key])
    return edited, tuple(lost)


def graft_comment(
    change: diff.Change, known: AdfComment, marks: Mapping[str, str] = MappingProxyType({})
) -> adf.Grafted:
    """Put an edited comment together from what Jira has of it, and its edited blocks.

    Args:
        change: The edit.
        known: The comment in Jira.
        marks: The marks of files on disk that the new text shows, by their addresses.
    """
    media_ids = {**known.issue_media_ids, **{mark: mark for mark in marks.values()}}
    new = adf.to_adf(adf.with_pictures_as_attachments(change.new, marks), media_ids=media_ids)
    return adf.graft(known.body, adf.to_adf(change.old, media_ids=known.issue_media_ids), new)


def _comment_and_link_losses(
    key: str, path: str, changes: Iterable[diff.Change], fields: Mapping[str, object]
) -> Iterator[Loss]:
    """Yield what Jira would lose by the edits of comments and of lines of links of an issue."""
    comments = {comment.id: comment for comment in jira_comments(fields)}
    for change in changes:
        if isinstance(change.part, diff.CommentPart) and change.part.id in comments:
            for lost in graft_comment(change, comments[change.part.id]).losses:
                yield Loss(key, path, lost.what, part=change.name)
        elif isinstance(change.part, str):
            for link in removed_links(fields, change.part, change.old, change.new):
                what = f"the link “{link.line_name} {link.key}”"
                yield Loss(key, path, what, part=link.line_name, is_link=True)


def may_lose(changes: Sequence[diff.Change]) -> bool:
    """Return whether an edit could remove something: of a text, or a key from a line."""
    return any(
        diff.is_merged_by_line(change.part)
        or (isinstance(change.part, diff.CommentPart) and bool(change.old))
        or (isinstance(change.part, str) and is_key("".join(words_with_keys_upper(change.old)[:1])))
        for change in changes
    )


def likely_losses(state: State, local_change: TicketChanges) -> tuple[Loss, ...]:
    """Return what Jira would lose, judged by the last sync, without a request.

    Raises:
        StateFailed: The state cannot be read.
    """
    if local_change.head_id is None or not any(map(may_lose, local_change.edits.values())):
        return ()
    issues = state.issues_of(local_change.head_id)
    return edited_texts_and_losses(local_change, issues, state.site_record.rich_text_ids())[1]
