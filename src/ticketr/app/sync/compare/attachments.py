"""The attachments of an issue: as Jira sends them, as a line of a file, and as files on disk. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from ticketr.app.jira.models import Attachment, objects_in, read_records
from ticketr.cleaning import clean

#: The most bytes of a name before its ending or a number is added: file systems take 255.
MAX_KEPT_NAME_BYTES = 200
_FORBIDDEN_NAME_CHARACTERS = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]')


def safe_name(name: str) -> str:
    """Return a name that stays in its folder, is not hidden, and is not that of a ticket file.

    Args:
        name: The name of an attachment, as its author wrote it.
    """
    name = _FORBIDDEN_NAME_CHARACTERS.sub("_", clean(" ".join(name.split())))
    name = name.encode("utf-8", "replace").decode().strip(" ")
    if name.startswith("."):
        name = f"_{name[1:]}"
    stem, suffix = _stem_and_suffix(name)
    while len(f"{stem}{suffix}".encode()) > MAX_KEPT_NAME_BYTES:
        stem, suffix = (stem[:-1], suffix) if len(stem) > 1 else (stem, suffix[:-1])
    name = f"{stem}{suffix}".rstrip(". ") or "attachment"
    # Last, since a cut can make this ending: a copy of the file would be read as one of tickets.
    return f"{name}.txt" if name.casefold().endswith(".md") else name


def possible_names(name: str, attachment_id: str) -> Iterator[str]:
    """Yield the names that an attachment may get, the best one first."""
    safe = safe_name(name)
    yield safe
    stem, suffix = _stem_and_suffix(safe)
    yield f"{stem} ({_FORBIDDEN_NAME_CHARACTERS.sub('_', attachment_id)[:20]}){suffix}"


def _stem_and_suffix(name: str) -> tuple[str, str]:
    """Split a name into its stem and its suffixes, which a few letters may be."""
    match = re.search(r"(?<=.)(?:\.[A-Za-z0-9]{1,8}){1,2}\Z", name)
    return (name[: match.start()], match[0]) if match else (name, "")


def size_text(size: int | None) -> str:
    """Return a size for people: ``340 bytes``, ``12 kB``, ``3.4 MB``; None is ``size unknown``."""
    if size is None:
        return "size unknown"
    if size < 1000:
        return f"{size} byte{'' if size == 1 else 's'}"
    number, units = float(size), ["kB", "MB", "GB", "TB"]
    unit = units[0]
    while number >= 999.5 and units:
        number, unit = number / 1000, units.pop(0)
    return f"{number:.1f} {unit}" if number < 9.95 else f"{number:.0f} {unit}"


#: Jira's field that holds the attachments.
ATTACHMENT_FIELD = "attachment"
#: The line of a file that lists them.
ATTACHMENTS_LINE_NAME = "Attachments"
#: The key of a record that holds its media ID; Jira's own records do not have it.
_MEDIA_ID_KEY = "media"
#: What files and downloads need of a record.
KEPT_ATTACHMENT_KEYS = ("id", "filename", "size", _MEDIA_ID_KEY)


def jira_attachments(fields: Mapping[str, object]) -> tuple[Attachment, ...]:
    """Return the attachments among the fields of an issue, in Jira's order."""
    return read_records(Attachment.read, objects_in(fields.get(ATTACHMENT_FIELD)))


def attachments_with_media_ids(
    fields: Mapping[str, object], ids: Mapping[str, str]
) -> list[Mapping[str, object]]:
    """Return the value of the field of an issue that holds the attachments, with their media IDs.

    Args:
        fields: The fields.
        ids: The media ID of attachments, by their own IDs.
    """
    return [
        {**file, _MEDIA_ID_KEY: ids[own]} if (own := str(file.get("id"))) in ids else file
        for file in objects_in(fields.get(ATTACHMENT_FIELD))
    ]


def media_ids_by_name(fields: Mapping[str, object]) -> Mapping[str, str]:
    """Return the media IDs of an issue's attachments, by their names.

    A name that several attachments have stands for none of them.
    """
    if ATTACHMENT_FIELD not in fields:
        return {}
    entries = list(objects_in(fields.get(ATTACHMENT_FIELD)))
    names = Counter(str(entry.get("filename")) for entry in entries)
    return {
        name: media
        for entry in entries
        if isinstance(media := entry.get(_MEDIA_ID_KEY), str)
        and names[name := str(entry.get("filename"))] == 1
    }


def attachment_names_and_sizes(fields: Mapping[str, object]) -> str:
    """Return the names and sizes of an issue's attachments as the text of a line."""
    return ", ".join(
        f"{csv_quote_if_needed(' '.join(attachment.name.split()))} ({size_text(attachment.size)})"
        for attachment in jira_attachments(fields)
    )


def csv_quote_if_needed(name: str) -> str:
    """Return an entry of a list as a line has it: in quotes, as in CSV, if it holds a comma or a quote."""
    return '"' + name.replace('"', '""') + '"' if any(mark in name for mark in ',"') else name
