"""Finds the tickets in files that cannot be read as tickets. Pure.

The text of such a file shows which keys it holds, or would hold once it is repaired. Until then these
tickets must not be written anywhere else, pushed, or taken for missing.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from ticketr.app.tickets import is_key

_LINE_END = re.compile("\r\n|\n|\r")
# A key, and what people write instead of one: in lower case, with another dash, with zeros.
_KEY_LIKE = (
    "(?P<word>[A-Za-z][A-Za-z0-9_]*)[-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"
    "0*(?P<number>[1-9][0-9]*)(?![A-Za-z0-9_])"
)
_SIGNS_BEFORE_KEY = r"[\s\[#*_~`(\\]*"
_CHECK_BOX = r"(?:\[[ xX]\]\s*)?"
_BULLET = rf"[ \t]*[-*+][ \t]*{_CHECK_BOX}"
_SECTION = re.compile(r"#+[ \t]*(?P<name>[^\[:#]*)")


@dataclass(frozen=True, slots=True)
class RawKeys:
    """The keys in a file that cannot be read as tickets.

    Attributes:
        held: Keys in the headings of its tickets and in its lists of sub-tasks.
        possible: These, and other keys that it may hold, since a heading or a list item begins
            with them, or the file has their name.
    """

    held: frozenset[str]
    possible: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The lines that begin with a key, or with something like one."""

    ticket: re.Pattern[str]
    heading: re.Pattern[str]
    item: re.Pattern[str]
    bare_item: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    """Compile the patterns when the first broken file is read; that takes milliseconds."""
    return _Patterns(
        ticket=re.compile(
            rf"[ \t\ufeff]*#+[ \t]*(?:TICKET|STORY)[ \t]*:?{_SIGNS_BEFORE_KEY}{_KEY_LIKE}",
            re.IGNORECASE,
        ),
        heading=re.compile(rf"[ \t\ufeff]*#+[^\[]*\[{_KEY_LIKE}\]"),
        item=re.compile(rf"{_BULLET}[\s*_~`]*\[{_SIGNS_BEFORE_KEY}{_KEY_LIKE}"),
        bare_item=re.compile(rf"{_BULLET}{_SIGNS_BEFORE_KEY}{_KEY_LIKE}"),
    )


def find_raw_keys(name: str, data: bytes) -> RawKeys:
    """Find the keys in a file.

    Args:
        name: Its path, relative to the workspace.
        data: Its content, in any encoding that has ASCII characters; empty if it is unknown.
    """
    text = data.replace(b"\0", b"").decode(
        "utf-8", errors="replace"
    )  # without NUL, UTF-16 is ASCII
    patterns = _patterns()
    held: set[str] = set()
    possible = {name.rpartition("/")[2].removesuffix(".md")}
    is_in_tasks = False
    for line in _LINE_END.split(text.lstrip("\ufeff\ufffd")):
        if line.startswith("#"):
            section = _SECTION.match(line)
            is_in_tasks = section is not None and section["name"].strip().casefold() == "tasks"
        held.update(_key_at_start(patterns.ticket, line))
        (held if is_in_tasks else possible).update(_key_at_start(patterns.item, line))
        possible.update(_key_at_start(patterns.heading, line))
        if is_in_tasks:
            possible.update(_key_at_start(patterns.bare_item, line))
    return RawKeys(frozenset(filter(is_key, held)), frozenset(filter(is_key, held | possible)))


def _key_at_start(pattern: re.Pattern[str], line: str) -> Iterator[str]:
    match = pattern.match(line)
    if match is not None:
        yield f"{match['word'].upper()}-{match['number']}"


def broken_file_of(path: str, broken: Container[str]) -> str | None:
    """Return the broken file that a path names, or the unreadable folder around it.

    Args:
        path: A path relative to the workspace.
        broken: The files and folders that cannot be read.
    """
    places = (path, *(parent.as_posix() for parent in PurePosixPath(path).parents))
    return next((place for place in places if place in broken), None)
