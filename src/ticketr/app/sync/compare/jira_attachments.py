"""The attachments of an issue as Jira sends them, and as a line of a file. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from ticketr.app.jira.models import Attachment
from ticketr.app.sync.compare.attachment_names import size_words

#: Jira's field that holds the attachments.
ATTACHMENT_FIELD = "attachment"
#: The line of a file that lists them.
ATTACHMENTS = "Attachments"
#: The key of a record that holds its media ID; Jira's own records do not have it.
_MEDIA = "media"
_NO_FILES: Mapping[str, str] = MappingProxyType({})


def jira_attachments(fields: Mapping[str, object]) -> tuple[Attachment, ...]:
    """Return the attachments among the fields of an issue, in Jira's order."""
    return tuple(
        attachment
        for entry in _entries(fields)
        if (attachment := Attachment.read(entry)) is not None
    )


def _entries(fields: Mapping[str, object]) -> Iterator[dict[str, object]]:
    listed = fields.get(ATTACHMENT_FIELD)
    for value in listed if isinstance(listed, list) else ():
        if isinstance(value, dict):
            yield value


def with_media(fields: Mapping[str, object], media: Mapping[str, str]) -> dict[str, object]:
    """Return the fields of an issue with the media IDs of its attachments.

    Args:
        fields: The fields.
        media: The media ID of attachments, by their own IDs.
    """
    known = [
        {**entry, _MEDIA: media[text]} if (text := str(entry.get("id"))) in media else entry
        for entry in _entries(fields)
    ]
    return {**fields, ATTACHMENT_FIELD: known}


def files_of(fields: Mapping[str, object]) -> Mapping[str, str]:
    """Return the media IDs of an issue's attachments, by their names.

    A name that several attachments have stands for none of them.
    """
    if ATTACHMENT_FIELD not in fields:
        return _NO_FILES
    entries = list(_entries(fields))
    names = Counter(str(entry.get("filename")) for entry in entries)
    return {
        name: media
        for entry in entries
        if isinstance(media := entry.get(_MEDIA), str)
        and names[name := str(entry.get("filename"))] == 1
    }


def attachment_line(fields: Mapping[str, object]) -> str:
    """Return the names and sizes of an issue's attachments as the text of a line."""
    return ", ".join(
        f"{_quoted(' '.join(attachment.name.split()))} ({size_words(attachment.size)})"
        for attachment in jira_attachments(fields)
    )


def slim_attachments(fields: Mapping[str, object]) -> list[dict[str, object]]:
    """Return only what files and downloads need of the field."""
    return [
        {"id": attachment.id, "filename": attachment.name, "size": attachment.size}
        | ({_MEDIA: entry[_MEDIA]} if _MEDIA in entry else {})
        for entry in _entries(fields)
        if (attachment := Attachment.read(entry)) is not None
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in ',"') else name
