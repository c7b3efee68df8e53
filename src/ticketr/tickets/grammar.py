r"""Which lines mean something, and how to write them when they should not.

The parser asks what a line means, the renderer asks whether a line must be escaped. Both ask
here, so that they cannot disagree. Two rules keep this simple:

- What is escaped is never less than what is read: every line that could be a heading, a mistake
  in one, or a conflict marker in *any* place, gets a backslash in *every* place.
- A backslash is taken off exactly where it would have been put: before such a line, or before
  such a line that already begins with backslashes. So ``\## Fields`` in a ticket becomes
  ``\\## Fields`` in the file and comes back, and any other backslash is just a backslash.

All patterns run in linear time: no two neighbouring repeats can match the same character.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ticketr.tickets.validate import is_key

if TYPE_CHECKING:
    from collections.abc import Iterable

TICKET: Final = "# TICKET:"
DESCRIPTION: Final = "Description"
FIELDS: Final = "Fields"
CRITERIA: Final = "Acceptance Criteria"
TASKS: Final = "Tasks"

_NAMES = frozenset({DESCRIPTION, FIELDS, CRITERIA, TASKS})

# A quick no for nearly every line of prose: only lines that pass are looked at closely.
MARKED = re.compile(r" {0,3}(?:\ufeff?#|```|~~~|\\)")

# "# TICKET:" itself and what people write when they mean it. A heading such as "# TICKET SALES"
# is none of these.
_TICKETISH = (
    r"\ufeff?(?:#{1,6}[ \t]*TICKET[ \t]*:|#[ \t]*STORY[ \t]*:"
    r"|#TICKET(?=[\s\[]|\Z)|#{1,6}[ \t]+TICKET[ \t]*(?:\[|\Z))"
)
_SECTION = r"## (?:Description|Fields|Acceptance Criteria|Tasks)[ \t:#]*\Z"
_CONFLICT = r"(?:<{7}|>{7})(?: |\Z)"

TICKETISH = re.compile(rf" {{0,3}}{_TICKETISH}")
CONFLICT = re.compile(_CONFLICT)

_MEANT = rf"(?:{_TICKETISH}|{_SECTION}|{_CONFLICT})"
_FENCE = "(?:```|~~~)"

_ESCAPE = re.compile(rf" {{0,3}}(?=\\*{_MEANT}|\\+{_FENCE})")
_UNESCAPE = re.compile(rf" {{0,3}}(?=\\+(?:{_MEANT}|{_FENCE}))")
# Nothing in a code fence is a heading, but git writes its markers there too.
_ESCAPE_FENCED = re.compile(rf" {{0,3}}(?=\\*{_CONFLICT})")
_UNESCAPE_FENCED = re.compile(rf" {{0,3}}(?=\\+{_CONFLICT})")


def section_of(line: str, *, in_task: bool = False) -> str | None:
    """Name the section that a line begins, or None.

    Only the four names count, alone on the line but for a colon or closing hashes. In a task the
    heading may be indented by up to three spaces, and there is no section for tasks.
    """
    if in_task:
        line = line.removeprefix("   "[: len(line) - len(line.lstrip(" "))])
    if not line.startswith("## "):
        return None
    name = line[3:].rstrip(" \t:#")
    return name if name in _NAMES and not (in_task and name == TASKS) else None


def escape(line: str, *, fenced: bool = False) -> str:
    """Put a backslash before a line of text that would mean something in a file."""
    found = (_ESCAPE_FENCED if fenced else _ESCAPE).match(line)
    return line if found is None else insert_backslash(line, found.end())


def unescape(line: str, *, fenced: bool = False) -> str:
    """Take off the backslash that ``escape`` put there."""
    found = (_UNESCAPE_FENCED if fenced else _UNESCAPE).match(line)
    return line if found is None else line[: found.end()] + line[found.end() + 1 :]


def insert_backslash(line: str, column: int | None = None) -> str:
    """Put a backslash at a place in a line, by default before its first visible character."""
    if column is None:
        column = len(line) - len(line.lstrip())
    return f"{line[:column]}\\{line[column:]}"


def escape_item(line: str) -> str:
    """Escape a further line of a criterion, where a dash would begin the next criterion."""
    if line.lstrip().lstrip("\\").startswith("-"):
        return insert_backslash(line)
    return escape(line)


def unescape_item(line: str) -> str:
    """Undo ``escape_item``."""
    text = line.lstrip()
    if text.startswith("\\") and text.lstrip("\\").startswith("-"):
        return line[: len(line) - len(text)] + text[1:]
    return unescape(line)


def is_rule(line: str) -> bool:
    """Return whether a line without outer white space is a thematic break of dashes."""
    return len(line) > 2 and line.count("-") == len(line)


# A title of a draft that a reader would take for a key, or for a slip in writing one: brackets
# doubled, set in bold, with a hash, a comma or another dash inside, or one of the two forgotten.
_CHECK_BOX = r"(?:\[[ xX]\]\s*)?"
_DASH = "[-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"
_KEYISH = rf"(?P<{{0}}_word>[A-Za-z][A-Za-z0-9_]*){_DASH}(?P<{{0}}_number>[0-9]+)(?![A-Za-z0-9_])"
_CLOSED = r"(?:[\s,.:;#*_`]*\]|[^\[\]]*(?:\[|\Z))"
_NEARLY_KEY = re.compile(
    rf"{_CHECK_BOX}(?:[*_~`]*\[[\[\s#*_`]*{_KEYISH.format('in')}{_CLOSED}"
    rf"|{_KEYISH.format('bare')}\s*\])"
)
_BRACKET = re.compile(r"\[([^\]]*)\]\s*")
_ESCAPED_TITLE = re.compile(rf"\\+(?:\[|{_NEARLY_KEY.pattern})")


class TitleError(ValueError):
    """Raised by ``read_title``; its text says what is wrong and what to write instead."""


def read_title(text: str) -> tuple[str | None, str]:
    r"""Take the key and the title from what follows ``# TICKET:`` or the dash of a task.

    Args:
        text: The rest of the line, without outer white space.

    Returns:
        The key, or None, and the title. Behind a key every character is the title's; without
        one, a backslash before a bracket, or before what is nearly a key, says that this belongs
        to the title.

    Raises:
        TitleError: If there is a key without a title, or something very like a key.
    """
    bracket = _BRACKET.match(text)
    if bracket is not None:
        key = bracket[1]
        if is_key(key):
            if bracket.end() == len(text):
                raise TitleError("there is a key but no title; write the title behind the key")
            return key, text[bracket.end() :]
    if found := _NEARLY_KEY.match(text):
        raise TitleError(
            f"this is no key, but looks like one; write {_nearest(found)}, or put a backslash "
            "before it if it belongs to the title"
        )
    return None, text[1:] if _ESCAPED_TITLE.match(text) else text


def _nearest(found: re.Match[str]) -> str:
    """Return the key that was probably meant, as it is to be written."""
    word, number = (
        found["in_word"] or found["bare_word"],
        found["in_number"] or found["bare_number"],
    )
    key = f"{word.upper()}-{number.lstrip('0')}"
    return f"[{key}]" if is_key(key) else "a key as [PROJ-123]"


def write_title(key: str | None, title: str) -> str:
    """Write key and title so that ``read_title`` gives them back."""
    if key is not None:
        return f"[{key}] {title}"
    if _NEARLY_KEY.match(title) or _ESCAPED_TITLE.match(title):
        return f"\\{title}"
    return title


@lru_cache(maxsize=64)
def _slip(project: str) -> re.Pattern[str]:
    word, marks = re.escape(project), r"[\s*_~`#(]*"
    bracketed = rf"\[[\[\s#]*(?:{word}[\s_]*|(?i:{word})\s*{_DASH}\s*)"
    return re.compile(
        rf"{_CHECK_BOX}{marks}(?:(?i:{word}){_DASH}|{bracketed})0*([1-9][0-9]*)(?![A-Za-z0-9_])"
    )


def slip_of(title: str, projects: Iterable[str]) -> str | None:
    """Find the key that a draft's title seems to begin with, where it is known whose keys to expect.

    ``[P1] Crash`` and ``COVID-19 leave`` are titles like any other, until P or COVID is a project.

    Args:
        title: The title of a draft that could be read.
        projects: The keys of the projects that tickets here belong to.

    Returns:
        The key; None if the title begins with nothing like one.
    """
    if _NEARLY_KEY.match(title):  # it had a backslash, so it is meant
        return None
    slips = ((project, _slip(project).match(title)) for project in projects)
    return next((f"{project}-{found[1]}" for project, found in slips if found), None)


_ESCAPED_NAME = re.compile(r"\\([\\:#*+<>-])")
_NAME = re.compile(r"((?:[^:\\]|\\.)++):")


def read_field(line: str) -> tuple[str, str] | None:
    r"""Take a field name and the text behind its colon from a line without outer white space.

    A bullet before the name is dropped. A colon in a name is written ``\:``.
    """
    if line[:2] in {"- ", "* ", "+ "}:
        line = line[2:].lstrip()
    name, colon, value = line.partition(":")
    if "\\" in name:
        found = _NAME.match(line)
        if found is None:
            return None
        name, value = _ESCAPED_NAME.sub(r"\1", found[1]), line[found.end() :]
    name = name.strip()
    return (name, value.strip()) if name and colon else None


def write_name(name: str) -> str:
    """Write a field name so that ``read_field`` gives it back."""
    if "\\" in name or ":" in name:
        name = name.replace("\\", "\\\\").replace(":", "\\:")
    return f"\\{name}" if name[0] in "#-*+<>" else name
