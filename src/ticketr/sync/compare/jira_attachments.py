"""The attachments of an issue as Jira sends them, and as a line of a file. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.jira.models import Attachment
from ticketr.sync.compare.attachment_names import size_words

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Jira's field that holds the attachments.
ATTACHMENT_FIELD = "attachment"
#: The line of a file that lists them.
ATTACHMENTS = "Attachments"


def jira_attachments(fields: Mapping[str, object]) -> tuple[Attachment, ...]:
    """Return the attachments among the fields of an issue, in Jira's order."""
    listed = fields.get(ATTACHMENT_FIELD)
    entries = (
        (each for each in listed if isinstance(each, dict)) if isinstance(listed, list) else ()
    )
    return tuple(found for each in entries if (found := Attachment.read(each)) is not None)


def attachment_line(fields: Mapping[str, object]) -> str:
    """Return the names and sizes of an issue's attachments as the text of a line."""
    return ", ".join(
        f"{_quoted(' '.join(each.name.split()))} ({size_words(each.size)})"
        for each in jira_attachments(fields)
    )


def slim_attachments(fields: Mapping[str, object]) -> list[dict[str, object]]:
    """Return only what files and downloads need of the field."""
    return [
        {"id": each.id, "filename": each.name, "size": each.size}
        for each in jira_attachments(fields)
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in ',"') else name
