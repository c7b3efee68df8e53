r"""The lines that have a meaning in a ticket file, and how to escape them in text.

The parser and the renderer share this module, so that they agree. Two rules keep it simple:

- Every line that is a heading, a mistake in one, or a conflict marker in *some* place is escaped
  by a backslash in *every* place.
- A backslash is removed exactly where it would have been added: before such a line, or before
  such a line that already starts with backslashes. So ``\## Fields`` in a ticket becomes
  ``\\## Fields`` in the file and is read back, and any other backslash is plain text.

In a fenced code block no line is a heading. In Markdown a fence that is never closed runs to the end of
the file, so the tickets below it would silently become code. The parser refuses such a file, and the
renderer escapes such a line.

All patterns run in linear time: no two neighbouring repeats can match the same character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice, takewhile
from typing import Final

from ticketr._lazy import compile_on_use
from ticketr.app.tickets.errors import InvalidKey

_SURROGATE = re.compile("[\ud800-\udfff]")


def with_lf_and_utf8(text: str) -> str:
    """Return a text with LF line ends, and U+FFFD for what UTF-8 cannot hold."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def one_line(text: str) -> str:
    """Return a text on one line without outer white space."""
    text = text.strip()
    if text.isascii() and text.isprintable():  # nearly every text
        return text
    lines = text.splitlines()
    if len(lines) > 1:
        text = " ".join(part for line in lines if (part := line.strip()))
    return with_lf_and_utf8(text).strip()


#: An issue key such as ``PROJ-123``; match it with ``fullmatch``.
ISSUE_KEY = re.compile(r"[A-Z][A-Z0-9_]+-[1-9][0-9]*")

# File systems allow names of 255 bytes; writers add a suffix to the name.
_MAX_KEY_CHARACTERS = 200


def is_key(text: str) -> bool:
    """Return whether the whole text is an issue key."""
    return ISSUE_KEY.fullmatch(text) is not None


def key_order(key: str) -> tuple[str, int]:
    """Return the project and the number of a key, to sort by; 0 for a text that is no key."""
    project, _, number = key.rpartition("-")
    return (project, int(number)) if is_key(key) else (key, 0)


def md_name_of_key(key: str) -> str:
    """Return the name of a ticket's file.

    Keys come from a server, so they are checked before they become part of a path.

    Returns:
        ``KEY.md``: one path component, the same on every file system.

    Raises:
        InvalidKey: The text is not a key, such as ``../../x``, or too long for a file name.
    """
    if len(key) > _MAX_KEY_CHARACTERS or not is_key(key):
        raise InvalidKey(key)
    return f"{key}.md"


#: What opens a code block; its group has the backticks or tildes.
OPENING_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*\Z)|~{3,})")


def closing_fence(lines: Sequence[str], start: int) -> int | None:
    """Return the index of the line that closes the code block opened at ``start``.

    Returns:
        The index. None if the block is not closed, or if it contains a heading and then an opening
        line of its kind: most likely its own closing line is missing, and the one found would
        belong to another block.
    """
    opening = OPENING_FENCE.match(lines[start])
    assert opening is not None
    fence = opening[1]
    has_heading = False
    for index in range(start + 1, len(lines)):
        line = lines[index]
        if fence in line:
            run = line.strip()
            is_closing = run.startswith(fence) and not run.strip(fence[0])
            if is_closing and not line.startswith("    "):
                return index
            other = OPENING_FENCE.match(line) if has_heading else None
            if other is not None and other[1].startswith(fence):
                return None
        if not has_heading and line.startswith("#"):
            has_heading = line.startswith(TICKET_PREFIX) or section_of(line) is not None
    return None


TICKET_PREFIX: Final = "# TICKET:"
DESCRIPTION_SECTION: Final = "Description"
FIELDS_SECTION: Final = "Fields"
CRITERIA_SECTION: Final = "Acceptance Criteria"
TASKS_SECTION: Final = "Tasks"
#: The section of one rich-text field, whose name follows a colon.
RICH_TEXT_SECTION: Final = "Field"

SECTION_NAMES = frozenset({DESCRIPTION_SECTION, FIELDS_SECTION, CRITERIA_SECTION, TASKS_SECTION})

# A quick test that nearly no line of prose passes; only matching lines are examined further.
MAY_BE_SPECIAL = re.compile(r" {0,3}(?:\ufeff?#|```|~~~|\\)")


def _one_letter_off_pattern(name: str) -> str:
    """Return an expression for the words that differ from a name in one letter, but the first."""
    letter = "[A-Za-z]"
    words = [name + letter]
    for at in range(1, len(name)):
        before, here, after = name[:at], name[at], name[at + 1 :]
        words += [before + after, before + letter + after, before + letter + here + after]
        words += [before + after[:1] + here + after[1:]]  # two letters in the other order
    return f"(?:{'|'.join(dict.fromkeys(words))})"


# "# TICKET:" and likely mistakes in it. A heading such as "# TICKET SALES" does not match.
_ALMOST_TICKET = (
    r"\ufeff?(?:#{1,6}[ \t]*TICKET[ \t]*:|#[ \t]*STORY[ \t]*:"
    rf"|#{{1,6}}[ \t]*(?!TICKETS)(?-i:{_one_letter_off_pattern('TICKET')})[ \t]*:"
    r"|#TICKET(?=[\s\[]|\Z)|#{1,6}[ \t]+TICKET[ \t]*(?:\[|\Z))"
)
_RICH_TEXT_SECTION_REGEX = rf"## {RICH_TEXT_SECTION}:\s*(?=\S)"
_SECTION = (
    r"(?:## (?:Description|Fields|Acceptance Criteria|Tasks)[ \t:#]*\Z"
    rf"|{_RICH_TEXT_SECTION_REGEX})"
)
# A heading of a section with one wrong letter. What people write as headings of their own is none:
# other cases, a plural or a singular, other words.
_NOT_MISTYPED_HEADINGS = "|".join(
    [*sorted(SECTION_NAMES), "Descriptions|Acceptance Criterias|Field|Fiends|Task|Ta[lcn]ks|Tusks"]
)
_SECTION_ONE_LETTER_OFF = (
    rf"##[ \t]+(?i:(?!(?:{_NOT_MISTYPED_HEADINGS})[ \t:#]*\Z)"
    rf"(?:{'|'.join(map(_one_letter_off_pattern, sorted(SECTION_NAMES)))})[ \t:#]*\Z)"
)
_CONFLICT_MARKER_REGEX = r"(?:<{7}|>{7})(?: |\Z)"

ALMOST_TICKET = compile_on_use(rf" {{0,3}}{_ALMOST_TICKET}")
SECTION_ONE_LETTER_OFF = compile_on_use(rf" {{0,3}}{_SECTION_ONE_LETTER_OFF}")
CONFLICT_MARKER = compile_on_use(_CONFLICT_MARKER_REGEX)

_RICH_TEXT_SECTION_HEADING = compile_on_use(_RICH_TEXT_SECTION_REGEX)

_SPECIAL_LINE_PATTERN = (
    rf"(?:{_ALMOST_TICKET}|{_SECTION}|{_SECTION_ONE_LETTER_OFF}|{_CONFLICT_MARKER_REGEX})"
)
_FENCE_SIGNS_REGEX = "(?:```|~~~)"

_LINE_TO_ESCAPE = compile_on_use(rf" {{0,3}}(?=\\*{_SPECIAL_LINE_PATTERN}|\\+{_FENCE_SIGNS_REGEX})")
_ESCAPED_LINE = compile_on_use(rf" {{0,3}}(?=\\+(?:{_SPECIAL_LINE_PATTERN}|{_FENCE_SIGNS_REGEX}))")
# In a code block nothing is a heading, but git writes its markers there, too.
_CONFLICT_MARKER_IN_CODE = compile_on_use(rf" {{0,3}}(?=\\*{_CONFLICT_MARKER_REGEX})")
_ESCAPED_CONFLICT_MARKER_IN_CODE = compile_on_use(rf" {{0,3}}(?=\\+{_CONFLICT_MARKER_REGEX})")


def section_of(line: str, *, in_task: bool = False) -> str | None:
    """Return the name of the section that a line starts, or None.

    A heading is one of the four names, optionally with a colon or closing hashes, or `RICH_TEXT_SECTION` with
    the name of a field. In a task it may be indented by up to three spaces, and there is no section
    for tasks.
    """
    if in_task:
        line = _without_short_indent(line)
    if not line.startswith("## "):
        return None
    if _RICH_TEXT_SECTION_HEADING.match(line):
        return RICH_TEXT_SECTION
    name = line[3:].rstrip(" \t:#")
    return name if name in SECTION_NAMES and not (in_task and name == TASKS_SECTION) else None


def field_name_in_rich_text_heading(heading: str) -> str:
    """Return the name of the field from the heading of its section."""
    match = _RICH_TEXT_SECTION_HEADING.match(heading := _without_short_indent(heading))
    assert match is not None
    return one_line(heading[match.end() :])


def _without_short_indent(line: str) -> str:
    """Remove up to three leading spaces."""
    return line.removeprefix("   "[: len(line) - len(line.lstrip(" "))])


def escape(line: str, *, fenced: bool = False) -> str:
    """Return a line of text, with a backslash if it would have a meaning in a file."""
    match = (_CONFLICT_MARKER_IN_CODE if fenced else _LINE_TO_ESCAPE).match(line)
    return line if match is None else insert_backslash(line, match.end())


def unescape(line: str, *, fenced: bool = False) -> str:
    """Undo ``escape``."""
    match = (_ESCAPED_CONFLICT_MARKER_IN_CODE if fenced else _ESCAPED_LINE).match(line)
    return line if match is None else line[: match.end()] + line[match.end() + 1 :]


def insert_backslash(line: str, column: int | None = None) -> str:
    """Return a line with a backslash at a column, by default before its first visible character."""
    if column is None:
        column = len(line) - len(line.lstrip())
    return f"{line[:column]}\\{line[column:]}"


def escape_criterion_continuation(line: str) -> str:
    """Escape a continuation line of a criterion, where a dash would start the next criterion."""
    if line.lstrip().lstrip("\\").startswith("-"):
        return insert_backslash(line)
    return escape(line)


def unescape_criterion_continuation(line: str) -> str:
    """Undo ``escape_criterion_continuation``."""
    text = line.lstrip()
    if text.startswith("\\") and text.lstrip("\\").startswith("-"):
        return line[: len(line) - len(text)] + text[1:]
    return unescape(line)


def is_line_of_dashes(line: str) -> bool:
    """Return whether a line without outer white space is a thematic break of dashes."""
    return len(line) > 2 and line.count("-") == len(line)


# The title of a draft that looks like a mistyped key: brackets doubled, in bold, with a hash, a
# comma or another dash inside, or with one of them missing.
_OPTIONAL_CHECK_BOX = r"(?:\[[ xX]\]\s*)?"
_DASH = "[-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"
_KEY_LIKE = rf"(?P<{{0}}_word>[A-Za-z][A-Za-z0-9_]*){_DASH}(?P<{{0}}_number>[0-9]+)(?![A-Za-z0-9_])"
_BRACKET_END_OR_MISSING = r"(?:[\s,.:;#*_`]*\]|[^\[\]]*(?:\[|\Z))"
NEARLY_KEY_AT_START = compile_on_use(
    rf"{_OPTIONAL_CHECK_BOX}(?:[*_~`]*\[[\[\s#*_`]*{_KEY_LIKE.format('in')}{_BRACKET_END_OR_MISSING}"
    rf"|{_KEY_LIKE.format('bare')}\s*\])"
)
#: A bracket and the text in it, with which a title with a key begins.
BRACKETED_TEXT = compile_on_use(r"\[([^\]]*)\]\s*")
#: A title without a key that begins with backslashes, of which the first is no part of it.
ESCAPED_KEYLIKE_TITLE = compile_on_use(rf"\\+(?:\[|{NEARLY_KEY_AT_START.pattern})")


def write_key_and_title(key: str | None, title: str) -> str:
    """Return key and title as a heading has them; a title that looks like a key is escaped."""
    if key is not None:
        return f"[{key}] {title}"
    if NEARLY_KEY_AT_START.match(title) or ESCAPED_KEYLIKE_TITLE.match(title):
        return f"\\{title}"
    return title


@lru_cache(maxsize=64)
def _mistyped_key_pattern(project: str) -> re.Pattern[str]:
    word, marks = re.escape(project), r"[\s*_~`#(]*"
    bracketed = rf"\[[\[\s#]*(?:{word}[\s_]*|(?i:{word})\s*{_DASH}\s*)"
    return re.compile(
        rf"{_OPTIONAL_CHECK_BOX}{marks}(?:(?i:{word}){_DASH}|{bracketed})0*([1-9][0-9]*)(?![A-Za-z0-9_])"
    )


def mistyped_key(title: str, projects: Iterable[str]) -> str | None:
    """Return the mistyped key at the start of a draft's title, if its project is known.

    ``[P1] Crash`` and ``COVID-19 leave`` are plain titles unless P or COVID is a project.

    Args:
        title: The title of a draft.
        projects: The keys of the workspace's projects.

    Returns:
        The key; None if the title starts with no such key.
    """
    if NEARLY_KEY_AT_START.match(title):  # it was escaped by a backslash
        return None
    matches = ((project, _mistyped_key_pattern(project).match(title)) for project in projects)
    return next((f"{project}-{match[1]}" for project, match in matches if match), None)


# A comment of Jira begins with its number, its author and its time, and its text follows, indented. A
# new one begins with ``- new:``. Such a line alone makes ``## Comments`` a section; before other lines
# alone these words are text.
COMMENTS_SECTION = "Comments"

#: The heading of the comments, perhaps behind backslashes, if `has_comments_below` it; else text.
COMMENTS_HEADING_PATTERN = compile_on_use(r"\\*(?=## Comments[ \t:#]*\Z)")
# A heading behind the comments, or a text that is written as one.
_NEXT_HEADING = compile_on_use(r" {0,3}\\*#{1,2} ")
#: What the first line of a new comment, and of one that Jira has, begins with.
NEW_COMMENT_BULLET = compile_on_use(r"[-*+][ \t]+[Nn]ew:[ \t]*")
COMMENT_BULLET_WITH_ID = compile_on_use(r"[-*+][ \t]+\[([0-9]+)\][ \t]*")
COMMENT_TIME_PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}Z"
COMMA_BEFORE_COMMENT_TIME = compile_on_use(rf"[ \t]*,[ \t]*(?=({COMMENT_TIME_PATTERN}))")


def has_comments_below(lines: Sequence[str], index: int, *, may_be_empty: bool = False) -> bool:
    """Return whether comments are below a line that matches `COMMENTS_HEADING_PATTERN`.

    A line that begins a comment must follow it, perhaps after blank lines. One with a number and a
    time may also be below other lines: else what was written above the comments would make all
    of them text, which a push would send.

    Args:
        lines: The lines of a file or of a text.
        index: The heading.
        may_be_empty: What to return if nothing follows before the next heading.
    """
    section = takewhile(lambda line: not _NEXT_HEADING.match(line), islice(lines, index + 1, None))
    written = (line for line in section if line.strip())
    first = next(written, None)
    if first is None:
        return may_be_empty
    if NEW_COMMENT_BULLET.match(first) or COMMENT_BULLET_WITH_ID.match(first):
        return True
    return any(
        COMMENT_BULLET_WITH_ID.match(line) and COMMA_BEFORE_COMMENT_TIME.search(line)
        for line in written
    )


_ESCAPED_NAME_CHARACTER = compile_on_use(r"\\([\\:#*+<>-])")
_FIELD_NAME = compile_on_use(r"((?:[^:\\]|\\.)++):")


@lru_cache(maxsize=4096)
def read_plain_field(line: str) -> tuple[str, str] | None:
    """Return a field in its normal form, if its line has no special meaning; else None.

    Nearly every line of the section is one, and many tickets have the same lines.
    """
    text = line.strip()
    is_other = text.startswith("#") or MAY_BE_SPECIAL.match(line)
    return None if is_other else read_field(text)


def read_field(line: str) -> tuple[str, str] | None:
    r"""Parse the name and the value of a field from a line without outer white space.

    Both are in their normal form. A bullet before the name is ignored. A colon in a name is written ``\:``.
    """
    if line[:2] in {"- ", "* ", "+ "}:
        line = line[2:].lstrip()
    name, colon, value = line.partition(":")
    if "\\" in name:
        match = _FIELD_NAME.match(line)
        if match is None:
            return None
        name, value = _ESCAPED_NAME_CHARACTER.sub(r"\1", match[1]), line[match.end() :]
    name = one_line(name)
    return (name, with_lf_and_utf8(value).strip()) if name and colon else None


@lru_cache(maxsize=1024)
def write_field_name(name: str) -> str:
    """Return a field name in the form that ``read_field`` parses."""
    if "\\" in name or ":" in name:
        name = name.replace("\\", "\\\\").replace(":", "\\:")
    return f"\\{name}" if name[0] in "#-*+<>" else name
