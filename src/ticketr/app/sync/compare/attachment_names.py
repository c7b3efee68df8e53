"""Names of files for attachments, whose own names may be anything. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ticketr.cleaning import clean

#: The most bytes of a name before its ending or a number is added: file systems take 255.
LONGEST = 200
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]')


def safe_name(name: str) -> str:
    """Return a name that stays in its folder, is not hidden, and is not that of a ticket file.

    Args:
        name: The name of an attachment, as its author wrote it.
    """
    name = _NOT_IN_NAMES.sub("_", clean(" ".join(name.split())))
    name = name.encode("utf-8", "replace").decode().strip(" ")
    if name.startswith("."):
        name = f"_{name[1:]}"
    name = _cut_name(name).rstrip(". ") or "attachment"
    # Last, since a cut can make this ending: a copy of the file would be read as one of tickets.
    return f"{name}.txt" if name.casefold().endswith(".md") else name


def _cut_name(name: str) -> str:
    """Cut a name to the bytes that it may have; its suffixes stay as far as possible."""
    stem, suffix = _split(name)
    while len(f"{stem}{suffix}".encode()) > LONGEST:
        stem, suffix = (stem[:-1], suffix) if len(stem) > 1 else (stem, suffix[:-1])
    return f"{stem}{suffix}"


def possible_names(name: str, attachment_id: str) -> Iterator[str]:
    """Yield the names that an attachment may get, the best one first."""
    safe = safe_name(name)
    yield safe
    stem, suffix = _split(safe)
    yield f"{stem} ({_NOT_IN_NAMES.sub('_', attachment_id)[:20]}){suffix}"


def _split(name: str) -> tuple[str, str]:
    """Split a name into its stem and its suffixes, which a few letters may be."""
    match = re.search(r"(?<=.)(?:\.[A-Za-z0-9]{1,8}){1,2}\Z", name)
    return (name[: match.start()], match[0]) if match else (name, "")


def size_words(size: int | None) -> str:
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
