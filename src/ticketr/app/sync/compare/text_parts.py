"""The rich texts of an issue other than its description: fields with sections of their own. Pure.

A section that a file does not mention is not a change; one without a text empties its field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ticketr.app.jira import adf
from ticketr.app.sync.compare.jira_comments import jira_comments
from ticketr.app.tickets import Ticket

#: Jira's field that holds the description.
DESCRIPTION_FIELD = "description"


@dataclass(frozen=True, slots=True)
class TextPart:
    """A rich-text field of an issue.

    Attributes:
        name: Its name in the file.
    """

    name: str


def field_texts(issue: Ticket) -> dict[TextPart, str]:
    """Return the rich texts of an issue."""
    return {TextPart(name): text for name, text in issue.texts.items()}


def is_document(value: object) -> bool:
    """Return whether the value of a field is rich text in Jira's form."""
    return isinstance(value, dict) and value.get("type") == "doc"


def as_document(value: object) -> object:
    """Return the value of a rich-text field as a document; some sites answer with plain text."""
    return adf.plain_document(value) if isinstance(value, str) and value else value


def documents_in(fields: Mapping[str, object]) -> Iterator[object]:
    """Yield the description of an issue, and its other rich texts, from its fields."""
    yield fields.get(DESCRIPTION_FIELD)
    for name, value in fields.items():
        if isinstance(value, dict) and name != DESCRIPTION_FIELD and is_document(value):
            yield value


def shown_files(fields: Mapping[str, object]) -> tuple[adf.ShownFile, ...]:
    """Return the files that the rich texts and the comments of an issue show, from its fields."""
    comments = (comment.body for comment in jira_comments(fields))
    return tuple(
        file
        for document in (*documents_in(fields), *comments)
        for file in adf.shown_files(document)
    )
