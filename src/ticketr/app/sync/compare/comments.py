"""The comments and rich texts of an issue, as Jira sends them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ticketr.app.jira import adf
from ticketr.app.jira.adf import to_markdown
from ticketr.app.jira.models import object_of, objects_in, text_of
from ticketr.app.sync.compare.attachments import media_ids_by_name
from ticketr.app.tickets import Comment

#: Jira's field that holds the comments.
COMMENT_FIELD = "comment"
#: The keys of the field's JSON that files and comparisons need: its own, those of a comment, of the
#: comment's author and of its visibility.
KEPT_COMMENT_KEYS = (
    *("comments", "total"),
    *("id", "author", "created", "body", "visibility"),
    *("accountId", "key", "displayName"),
    *("type", "value", "identifier"),
)


@dataclass(frozen=True, slots=True)
class AdfComment:
    """A comment in Jira.

    Attributes:
        id: Its number.
        author: The name of its author.
        account_id: The account ID of its author; empty if unknown.
        time_in_file: When it was written, as a file shows it; empty if unknown.
        body: Its text as ADF.
        visibility: Who may see it, as Jira writes it; None for everybody.
        issue_media_ids: The media IDs of the attachments of its issue, by their names.
    """

    id: str
    author: str
    account_id: str
    time_in_file: str
    body: object
    visibility: object
    issue_media_ids: Mapping[str, str] = field(default_factory=dict)

    def to_file_comment(self) -> Comment:
        """Return the comment as a file shows it."""
        text = (
            to_markdown(self.body, media_ids=self.issue_media_ids)
            if isinstance(self.body, dict)
            else ""
        )
        return Comment(text, self.id, self.author, self.time_in_file)


def jira_comments(fields: Mapping[str, object]) -> tuple[AdfComment, ...]:
    """Return the comments among the fields of an issue, each once, in Jira's order."""
    if COMMENT_FIELD not in fields:
        return ()
    comments: dict[str, AdfComment] = {}
    media_ids = media_ids_by_name(fields)
    for entry in _comment_entries(fields.get(COMMENT_FIELD)):
        comment_id, person = text_of(entry.get("id")), object_of(entry.get("author"))
        if not (comment_id.isascii() and comment_id.isdecimal()):
            continue
        comments.setdefault(
            comment_id,
            AdfComment(
                comment_id,
                text_of(person.get("displayName")),
                text_of(person.get("accountId")) or text_of(person.get("key")),
                _utc_text(entry.get("created")),
                entry.get("body"),
                entry.get("visibility"),
                media_ids,
            ),
        )
    return tuple(comments.values())


def are_comments_incomplete(fields: Mapping[str, object]) -> bool:
    """Return whether an issue has more comments than its fields hold."""
    value = object_of(fields.get(COMMENT_FIELD))
    total = value.get("total")
    return isinstance(total, int) and total > len(list(_comment_entries(value)))


def comment_field_value(comments: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return comments as the field of an issue holds them."""
    listed = list(comments)
    return {"comments": listed, "total": len(listed)}


def _comment_entries(value: object) -> Iterator[Mapping[str, Any]]:
    return objects_in(object_of(value).get("comments"))


def _utc_text(value: object) -> str:
    try:
        moment = datetime.fromisoformat(text_of(value))
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
    except (ValueError, OverflowError):  # a server may say anything
        return ""


#: Jira's field that holds the description.
DESCRIPTION_FIELD = "description"


def wrap_if_plain_text(value: object) -> object:
    """Return the value of a rich-text field as a document; some sites answer with plain text."""
    return adf.code_block_document(value) if isinstance(value, str) and value else value


def rich_text_documents_in(fields: Mapping[str, object]) -> Iterator[object]:
    """Yield the description of an issue, then its other rich texts and comments, from its fields."""
    yield fields.get(DESCRIPTION_FIELD)
    for name, value in fields.items():
        # Each issue of a pull has ten fields or more, so the cheapest test comes first.
        if type(value) is dict and value.get("type") == "doc" and name != DESCRIPTION_FIELD:
            yield value
    if COMMENT_FIELD in fields:
        yield from (comment.body for comment in jira_comments(fields))


def files_in_any_text(fields: Mapping[str, object]) -> tuple[adf.PicturedFile, ...]:
    """Return the files that the rich texts and the comments of an issue show, from its fields."""
    return tuple(
        file
        for document in rich_text_documents_in(fields)
        if document is not None
        for file in adf.pictured_files(document)
    )
