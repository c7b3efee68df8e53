"""Converts the rich texts of an issue and the people in them, and checks all before it is sent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ticketr.app.jira import User, adf
from ticketr.app.sync.compare.diff import CorePart, TextPart, description_adf
from ticketr.app.sync.compare.grafting import EditedText, PictureFile, marks_of
from ticketr.app.sync.edits.losses import Place, texts_of
from ticketr.app.sync.push.values import BadValue, NameLookup, in_quotes, named_exactly
from ticketr.app.tickets import Ticket

#: How many people an error message names.
_MOST_NAMED = 5


def with_mentions(
    text: str, users: Mapping[str, Sequence[User]], place: Callable[[int], str]
) -> str:
    """Return a text with account IDs in its mentions by name; leave the names that no account has.

    Args:
        text: The Markdown.
        users: What the search returned for each name.
        place: Returns the file and the line of a line, as the beginning of a message.

    Raises:
        BadValue: A name is that of several people.
    """
    people: dict[str, tuple[str, str]] = {}
    for person in adf.named_people(text):
        user = _person(person.name, users.get(person.name, ()), place(person.line))
        if user is not None:
            people[person.name] = (user.account_id, user.display_name)
    return adf.with_people(text, people)


def issue_with_mentions(issue: Ticket, users: Mapping[str, Sequence[User]]) -> Ticket:
    """Return an issue with account IDs in its mentions by name, as far as the names are clear."""

    def resolved(text: str) -> str:
        try:
            return with_mentions(text, users, lambda line: "")
        except BadValue:  # `RichText` refuses the text if it is sent
            return text

    if not users:
        return issue
    return replace(
        issue,
        description=resolved(issue.description),
        acceptance_criteria=tuple(map(resolved, issue.acceptance_criteria)),
        texts={name: resolved(text) for name, text in issue.texts.items()},
    )


def unknown_people(
    text: str, before: str, users: Mapping[str, Sequence[User]]
) -> Iterator[tuple[int, str]]:
    """Yield the line of each new mention for which no account was found, and a warning."""
    for person in adf.named_people(text):
        if not users.get(person.name, (None,)) and person.text not in before:
            yield (
                person.line,
                (
                    f"“{person.text}” goes to Jira as text, for its search finds nobody of that name; "
                    "a mention is @[Name](account ID), @[Name] or @ and an e-mail address"
                ),
            )


def _person(name: str, users: Sequence[User], place: str) -> User | None:
    """Return the person with a name, or else the only one whose name begins so."""
    fitting = named_exactly(name, users) or list(users)
    if len(fitting) > 1:
        several = " or ".join(
            f"@[{user.display_name}]({user.account_id})" for user in fitting[:_MOST_NAMED]
        )
        more = f" ({len(fitting) - _MOST_NAMED} more)" if len(fitting) > _MOST_NAMED else ""
        raise BadValue(
            f"{place}{in_quotes(name)} is the name of several people; write {several}{more}"
        )
    return fitting[0] if fitting else None


@dataclass(frozen=True, slots=True)
class RichText:
    """A rich text of an issue that is to be sent.

    Attributes:
        part: The text. The description and its acceptance criteria are one document.
        issue: The issue in its file.
        edited: The text with Jira's own blocks, if Jira has the issue; None to convert all of it.
            Its mentions by name have account IDs.
        path: The issue's file, for messages that name a line.
        uploads: The files that the description shows and that are attached before it is sent, by
            their addresses.
    """

    part: CorePart | TextPart
    issue: Ticket
    edited: EditedText | None
    path: str
    uploads: Mapping[str, PictureFile] = field(default_factory=dict)

    def value(self, lookup: NameLookup) -> dict[str, object] | None:
        """Return the document; None if it is empty.

        Args:
            lookup: Finds the people whom the text mentions.

        Raises:
            BadValue: Jira would refuse the text or lose a part of it.
        """
        for text, place in self.texts():  # a name may be that of several people
            with_mentions(text, lookup.mentioned, partial(_place_of, self.path, place))
        issue = issue_with_mentions(self.issue, lookup.mentioned)
        description = adf.with_attachments(issue.description, marks_of(self.uploads))
        sent = replace(self, issue=replace(issue, description=description))
        document = checked_document(
            sent.document,
            [(text, sent.before(text), place) for text, place in sent.texts()],
            path=self.path,
            line=self.line(),
            original=self.edited.original if self.edited is not None else None,
        )
        return document if document.get("content") else None

    def document(self) -> dict[str, object]:
        """Return the document that would be sent."""
        if self.edited is not None:
            return self.edited.document
        if isinstance(self.part, TextPart):
            return adf.to_adf(self.issue.texts.get(self.part.name, ""))
        return description_adf(
            self.issue, files={upload.mark: upload.mark for upload in self.uploads.values()}
        )

    def texts(self) -> Iterator[tuple[str, Place]]:
        """Yield the texts that are converted, each with the places of its lines."""
        if isinstance(self.part, TextPart):
            yield from texts_of(self.issue, self.part)
            return
        if self._is_whole:
            yield from texts_of(self.issue, CorePart.DESCRIPTION)
        yield from texts_of(self.issue, CorePart.CRITERIA)

    def line(self) -> int:
        """Return the line of the text in the file; 0 if it is not known."""
        places = self.issue.places
        if isinstance(self.part, TextPart):
            return places.of_text(self.part.name, 1)
        return places.of_description(1) or self.issue.line

    def before(self, text: str) -> str:
        """Return what one of `texts` was at the last sync; empty if Jira does not have the issue."""
        if self.edited is None:
            return ""
        was = self.edited.before
        if isinstance(self.part, TextPart):
            return was.texts.get(self.part.name, "")
        is_description = text is self.issue.description
        return was.description if is_description else "\n\n".join(was.acceptance_criteria)

    @property
    def _is_whole(self) -> bool:
        """Whether the description is converted, and not its criteria alone."""
        return self.part is CorePart.DESCRIPTION or self.edited is None


def new_document(text: str) -> dict[str, object] | None:
    """Return the document of a text that no file holds; None if it is empty.

    Raises:
        BadValue: Jira would refuse the text or lose a part of it.
    """
    if not text.strip():
        return None
    return checked_document(partial(adf.to_adf, text), [(text, "", lambda line: line)])


def checked_document(
    convert: Callable[[], dict[str, object]],
    texts: Sequence[tuple[str, str, Place]],
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
    too_long = f"{location(path, line)}it has {{}} characters; Jira takes {adf.LONGEST_TEXT}"
    # Check the length before the conversion, which takes time, and again after it.
    if adf.is_too_long(*(text for text, _, _ in texts)):
        raise BadValue(too_long.format(sum(len(text) for text, _, _ in texts)))
    document = convert()
    if (size := adf.length(document)) > adf.LONGEST_TEXT:
        raise BadValue(too_long.format(size))
    gone = [
        piece.words(path, piece.line and place(piece.line))
        for text, before, place in texts
        for piece in adf.unsent_pieces(text, before=before)
        if piece.is_lost
    ]
    if gone:
        raise BadValue(gone[0] + (f" (and {len(gone) - 1} more)" if gone[1:] else ""))
    known = adf.problems(original)
    for problem in adf.problems(document):
        if problem not in known:
            raise BadValue(f"Jira would refuse it: {problem}")
    return document


def _place_of(path: str, place: Place, line: int) -> str:
    return location(path, place(line))


def location(path: str, line: int) -> str:
    """Return a file and a line as the beginning of a message; empty if they are not known."""
    return f"{path}:{line}: " if path and line else ""
