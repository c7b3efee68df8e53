"""Converts the rich texts of an issue and the people in them, and checks all before it is sent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from ticketr.app.jira import User, adf
from ticketr.app.sync.compare.diff import CorePart, Part, RichTextPart, description_adf
from ticketr.app.sync.compare.grafting import GraftedAdf, PictureToAttach, fake_media_ids_by_address
from ticketr.app.sync.edits.losses import FileLineOfTextLine, texts_of
from ticketr.app.sync.push.values import BadValue, NameLookup, short_quote, with_name_email_or_id
from ticketr.app.tickets import Ticket

#: How many people an error message names.
_MAX_SHOWN_PEOPLE = 5
_NO_FILES: Mapping[str, PictureToAttach] = MappingProxyType({})


def with_mention_ids(
    text: str,
    users: Mapping[str, Sequence[User]],
    path: str = "",
    place: FileLineOfTextLine = lambda line: line,
) -> str:
    """Return a text with account IDs in its mentions by name; leave the names that no account has.

    Args:
        text: The Markdown.
        users: What the search returned for each name.
        path: Its file, for a message; empty if it is in none.
        place: Returns the line of the file that a line of the text is in.

    Raises:
        BadValue: A name is that of several people.
    """
    ids_and_names: dict[str, tuple[str, str]] = {}
    for person in adf.named_people(text):
        name = person.name_or_email
        prefix = location_prefix(path, place(person.line_in_text))
        user = _find_person(name, users.get(name, ()), prefix)
        if user is not None:
            ids_and_names[name] = (user.account_id, user.display_name)
    return adf.with_account_ids(text, ids_and_names)


def issue_with_mention_ids(issue: Ticket, users: Mapping[str, Sequence[User]]) -> Ticket:
    """Return an issue with account IDs in its mentions by name, as far as the names are clear."""

    def resolved(text: str) -> str:
        try:
            return with_mention_ids(text, users)
        except BadValue:  # `rich_text_value` refuses the text if it is sent
            return text

    if not users:
        return issue
    return replace(
        issue,
        description=resolved(issue.description),
        acceptance_criteria=tuple(map(resolved, issue.acceptance_criteria)),
        rich_texts={name: resolved(text) for name, text in issue.rich_texts.items()},
    )


def mention_warnings(
    text: str, before: str, users: Mapping[str, Sequence[User]]
) -> Iterator[tuple[int, str]]:
    """Yield the line of each new mention for which no account was found, and a warning."""
    for person in adf.named_people(text):
        if not users.get(person.name_or_email, (None,)) and person.mention not in before:
            warning = (
                f"“{person.mention}” goes to Jira as text, for its search finds nobody of that name; "
                "a mention is @[Name](account ID), @[Name] or @ and an e-mail address"
            )
            yield person.line_in_text, warning


def _find_person(name: str, users: Sequence[User], place: str) -> User | None:
    """Return the person with a name, or else the only one whose name begins so."""
    fitting = with_name_email_or_id(name, users) or list(users)
    if len(fitting) > 1:
        several = " or ".join(
            f"@[{user.display_name}]({user.account_id})" for user in fitting[:_MAX_SHOWN_PEOPLE]
        )
        unshown = len(fitting) - _MAX_SHOWN_PEOPLE
        more = f" ({unshown} more)" if unshown > 0 else ""
        raise BadValue(
            f"{place}{short_quote(name)} is the name of several people; write {several}{more}"
        )
    return fitting[0] if fitting else None


def rich_text_value(
    issue: Ticket,
    part: CorePart | RichTextPart,
    lookup: NameLookup,
    edited: GraftedAdf | None,
    *,
    path: str,
    uploads: Mapping[str, PictureToAttach] = _NO_FILES,
) -> dict[str, object] | None:
    """Return the document of a rich text that is to be sent; None if it is empty.

    Args:
        issue: The issue in its file.
        part: The text. The description and its acceptance criteria are one document.
        lookup: Finds the people whom the text mentions.
        edited: The text with Jira's own blocks, if Jira has the issue; None to convert all of it.
            Its mentions by name have account IDs.
        path: The issue's file, for messages that name a line.
        uploads: The files that the description shows and that are attached before it is sent, by
            their addresses.

    Raises:
        BadValue: Jira would refuse the text or lose a part of it.
    """
    for text, _, place in _new_and_old_texts(issue, part, edited):  # a name may be that of several
        with_mention_ids(text, lookup.mentions, path, place)
    issue = issue_with_mention_ids(issue, lookup.mentions)
    marks = fake_media_ids_by_address(uploads)
    description = adf.with_pictures_as_attachments(issue.description, marks)
    issue = replace(issue, description=description)

    def convert() -> dict[str, object]:
        if edited is not None:
            return edited.document
        if isinstance(part, RichTextPart):
            return adf.to_adf(issue.rich_texts.get(part.name, ""))
        return description_adf(
            issue, media_ids={file.fake_media_id: file.fake_media_id for file in uploads.values()}
        )

    if isinstance(part, RichTextPart):
        line = issue.line_numbers.of_text(part.name, 1)
    else:
        line = issue.line_numbers.of_description(1) or issue.line
    document = checked_document(
        convert,
        _new_and_old_texts(issue, part, edited),
        path=path,
        line=line,
        original=edited.original if edited is not None else None,
    )
    return document if document.get("content") else None


def _new_and_old_texts(
    issue: Ticket, part: CorePart | RichTextPart, edited: GraftedAdf | None
) -> list[tuple[str, str, FileLineOfTextLine]]:
    """Return what a rich text is converted from, as `checked_document` takes it."""
    was = edited.before if edited is not None else Ticket("")
    before: dict[Part, str] = {CorePart.CRITERIA: "\n\n".join(was.acceptance_criteria)}
    if isinstance(part, RichTextPart):
        before = {part: was.rich_texts.get(part.name, "")}
    elif part is CorePart.DESCRIPTION or edited is None:
        before = {CorePart.DESCRIPTION: was.description} | before
    return [
        (text, old, place) for own, old in before.items() for text, place in texts_of(issue, own)
    ]


def checked_document_of_text(text: str) -> dict[str, object] | None:
    """Return the document of a text that no file holds; None if it is empty.

    Raises:
        BadValue: Jira would refuse the text or lose a part of it.
    """
    if not text.strip():
        return None
    return checked_document(partial(adf.to_adf, text), [(text, "", lambda line: line)])


def checked_document(
    convert: Callable[[], dict[str, object]],
    texts: Sequence[tuple[str, str, FileLineOfTextLine]],
    *,
    path: str = "",
    line: int = 0,
    original: object = None,
) -> dict[str, object]:
    """Convert texts to a document and check it.

    Args:
        convert: Makes the document.
        texts: The texts in it, each with its text before the edit and the places of its lines. A
            lost piece that was there before belongs to a block of Jira's, which is sent back, or
            is reported with what that loses.
        path: Their file, for messages.
        line: The line at which they begin; 0 if it is not known.
        original: The document that Jira has. What is wrong with it may stay.

    Raises:
        BadValue: Jira would refuse it, or lose a part of it.
    """
    too_long = (
        f"{location_prefix(path, line)}it has {{}} characters; Jira takes {adf.MAX_JIRA_CHARACTERS}"
    )
    # Check the length before the conversion, which takes time, and again after it.
    if adf.is_surely_too_long(*(text for text, _, _ in texts)):
        raise BadValue(too_long.format(sum(len(text) for text, _, _ in texts)))
    document = convert()
    if (size := adf.text_length(document)) > adf.MAX_JIRA_CHARACTERS:
        raise BadValue(too_long.format(size))
    gone = [
        piece.describe(path, piece.line and place(piece.line))
        for text, before, place in texts
        for piece in adf.faulty_pieces(text, before=before)
        if piece.is_lost
    ]
    if gone:
        raise BadValue(gone[0] + (f" (and {len(gone) - 1} more)" if gone[1:] else ""))
    known = adf.find_problems(original)
    for problem in adf.find_problems(document):
        if problem not in known:
            raise BadValue(f"Jira would refuse it: {problem}")
    return document


def location_prefix(path: str, line: int) -> str:
    """Return a file and a line as the beginning of a message; empty if they are not known."""
    return f"{path}:{line}: " if path and line else ""
