r"""Normalises Markdown tables into the form that marklas reads.

marklas converts a whole table to one line of text if a row has a cell too few or too many, or a
``|`` in code. So short rows are filled, empty cells beyond the last column are cut, a ``|`` in code
is escaped, and outer bars are added. A table that cannot be repaired without losing or moving a word
is reported with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, takewhile

#: Cells that are filled in one text; a wide table of short rows could need millions.
_MAX_FILLED = 2_000

# Blanks of any kind: what is copied from a page has hard ones. Nothing is given back once it is
# read, or a long line of blanks would take its length squared.
_DELIMITER = re.compile(r" {0,3}\|?\s*+:?-++:?\s*+(?:\|\s*+:?-++:?\s*+)*+\|?\s*+")
_LIKE_DELIMITER = re.compile(r"[\s>]*+[|:\-][|:\-\s]*+")
# Such a line as other programs draw it, or correct it to long dashes.
_DRAWN_LINE = re.compile(
    r"[\s>]*+(?:[|+]?[-=:]{2,}+(?:[|+][-=:]{2,}+)*+[|+]?"
    r"|\|?(?:[\s:]*+[\u2013\u2014-]++[\s:]*+\|)++)\s*+"
)
# A line that begins another block, and so ends a table and heads none.
_BLOCK_START = re.compile(
    r" {0,3}(?:#{1,6}(?:[ \t]|$)|>|</?(?:aside|details|div|figure|section|summary|ul)\b|```|~~~|[-+*](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$)"
    r"|(?:[-*_][ \t]*){3,}$)"
)
_FENCE = re.compile(r"[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})")
_BACKQUOTES = re.compile("`+")
_ESCAPED_OR_BACKQUOTES = re.compile(r"\\.|(`+)", re.DOTALL)
_BAR = re.compile(r"(?<!\\)\|")
_BAR_OR_CODE = re.compile(r"\\.|(`+)|\|", re.DOTALL)


class Tables:
    """The tables of a text, in the form that marklas reads; no line is added or removed.

    Attributes:
        markdown: The text with its tables in marklas's form.
        problems: The number, from 1, of each line that could not be put into it, and why.
        seconds: The number, from 1, of the delimiter row of each table without problems. marklas does
            not read it as a table in a list or a quote.
        strays: The numbers of lines that look like a delimiter row but are not one; maybe in code.
        drawn: The numbers of lines at which something begins that looks like a table without a
            delimiter row, or that another program has drawn; maybe in code.
    """

    def __init__(self, markdown: str) -> None:
        self.markdown = markdown
        self.problems: list[tuple[int, str]] = []
        self.seconds: list[int] = []
        self.strays: list[int] = []
        self.drawn: list[int] = []
        self._filled = 0
        if "|" in markdown:
            self._lines = markdown.split("\n")
            self._read()
            self.markdown = "\n".join(self._lines)

    def _read(self) -> None:
        """Normalise the tables, and note what cannot be read as one."""
        lines, index = self._lines, 0
        code = {at for start, end in fences(lines) for at in range(start, end + 1)}
        while index < len(lines):
            line = lines[index]
            if index in code:
                pass
            elif index and _looks_like_delimiter(line) and "|" in lines[index - 1]:
                columns = self._columns(index)
                if columns:
                    index = self._table(index, columns)
                    continue
                self.strays.append(index + 1)
            elif self._is_drawn(index):
                self.drawn.append(index + 1)
                index = self._end_of_block(index)
            index += 1

    def _is_drawn(self, index: int) -> bool:
        """Return whether a table begins here that has no second line, or is drawn."""
        after = self._lines[index + 1 : index + 3]
        # A line of dashes alone makes a heading.
        may_be = not {"|", "+"}.isdisjoint(self._lines[index])
        if not may_be or any(map(_looks_like_delimiter, after)):
            return False
        if _DRAWN_LINE.fullmatch(self._lines[index]):
            return any(
                "|" in line for line in (*self._lines[max(index - 1, 0) : index], *after[:1])
            )
        return _is_row(self._lines[index]) and any(map(_is_row, after[:1]))

    def _end_of_block(self, index: int) -> int:
        """Return the index of the last line before a blank one or a fence."""
        rest = self._lines[index + 1 :]
        return index + sum(
            1 for _ in takewhile(lambda line: line.strip() and not _FENCE.match(line), rest)
        )

    def _columns(self, index: int) -> int:
        """Count the columns of the table whose second line this is; 0 if it heads none."""
        head = self._lines[index - 1]
        if not _DELIMITER.fullmatch(self._lines[index]) or head.startswith(("    ", "\t")):
            return 0
        if _BLOCK_START.match(head):
            return 0
        columns = len(_cells(self._lines[index]))
        heads, in_code = _cells(head), _cells(head, skip_code=True)
        return columns if columns in {len(heads), len(in_code)} else 0

    def _table(self, index: int, columns: int) -> int:
        """Normalise a table; return the index of the line after it."""
        second, problems = index + 1, len(self.problems)
        self._row(index - 1, columns)
        self._row(index, columns)
        index += 1
        while index < len(self._lines):
            line = self._lines[index]
            if not line.strip() or _BLOCK_START.match(line):
                break
            if not _has_bar(line):
                self._problem(
                    index,
                    "is right below a table; put an empty line before it, or "
                    "a | around it if it is a row",
                )
                break
            self._row(index, columns)
            index += 1
        if len(self.problems) == problems:
            self.seconds.append(second)
        return index

    def _row(self, index: int, columns: int) -> None:
        """Write a row with as many cells as its table has, or note what is wrong with it."""
        line = self._lines[index]
        cells, whole = _cells(line), _cells(line, skip_code=True)
        if len(whole) < len(cells):  # there is a bar in code
            if len(cells) == columns:
                self._problem(
                    index,
                    "has a | between backquotes; write it as \\|, or put a backslash "
                    "before a backquote that is text",
                )
                return
            cells = whole
        surplus = cells[columns:]
        if surplus and not any(surplus):
            del cells[columns:]
        missing = columns - len(cells)
        if missing < 0 or missing + self._filled > _MAX_FILLED:
            count = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
            advice = (
                "a | that is text is written \\|"
                if missing < 0
                else f"so many are missing that they are not filled, write {missing} more"
            )
            self._problem(index, f"has {count} where its table has {columns}; {advice}")
            return
        if missing or surplus or cells is whole or not _has_outer_bars(line):
            self._filled += missing
            self._lines[index] = f"| {' | '.join([*cells, *[''] * missing])} |"

    def _problem(self, index: int, reason: str) -> None:
        self.problems.append((index + 1, reason))


#: What is wrong with a line that looks like the second line of a table but is not one.
STRAY = (
    "looks like a table, but is none: each row needs as many cells as the first, and it cannot "
    "be in a list or a quote; if it is text, put a backslash before each |"
)
#: What is wrong with lines that look like a table without a second line.
DRAWN = (
    "looks like a table, but would become a line of text: below its first row a table has one "
    "like |---|---|; if it is a drawing, put a line ``` before it and one behind it"
)


def fenced(markdown: str) -> list[tuple[int, int]]:
    """Return where each block of code between fences starts and ends."""
    if "```" not in markdown and "~~~" not in markdown:
        return []
    lines = markdown.split("\n")
    places = list(accumulate((len(line) + 1 for line in lines), initial=0))
    return [(places[start], places[end]) for start, end in fences(lines)]


def fences(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the indices of the fences of each block of code; a missing one is behind the last line."""
    fence, start = "", 0
    for at, line in enumerate(lines):
        if fence and _closes_fence(line, fence):
            yield start, at
            fence = ""
        elif not fence and (opened := _FENCE.match(line)):
            fence, start = opened[1], at
    if fence:
        yield start, len(lines)


def blank_code(markdown: str) -> str:
    """Replace code by blanks, between fences and between backquotes of one line."""
    if "`" not in markdown and "~~~" not in markdown:
        return markdown
    lines = markdown.split("\n")
    for start, end in list(fences(lines)):
        lines[start : end + 1] = [""] * len(lines[start : end + 1])
    return "\n".join("".join(_blanked(line)) if "`" in line else line for line in lines)


def _blanked(line: str) -> Iterator[str]:
    at = 0
    for start, end in _code_ends(line).items():
        yield line[at:start] + " " * (end - start)
        at = end
    yield line[at:]


def _looks_like_delimiter(line: str) -> bool:
    return "-" in line and "|" in line and _LIKE_DELIMITER.fullmatch(line) is not None


def _is_row(line: str) -> bool:
    """Return whether a line has bars around it and one at least within."""
    row = line.lstrip("> \t")
    return _has_outer_bars(row) and len(_cells(row)) > 1


def _closes_fence(line: str, fence: str) -> bool:
    rest = line.lstrip(" \t>").rstrip()
    return rest.startswith(fence) and not rest.strip(fence[0])


def _has_bar(line: str) -> bool:
    return any(match[0] == "|" for match in _BAR_OR_CODE.finditer(line))


def _has_outer_bars(line: str) -> bool:
    text = line.strip()
    return text.startswith("|") and text.endswith("|") and not _ends_escaped(text)


def _ends_escaped(text: str) -> bool:
    before = text[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _cells(line: str, *, skip_code: bool = False) -> list[str]:
    r"""Split a row at its bars, as GitHub does, at bars in code as well.

    Args:
        line: The row.
        skip_code: Whether to leave out the bars in code, which come back as ``\|``.
    """
    return list(_split_at_bars(line, skip_code=skip_code))


def _split_at_bars(line: str, *, skip_code: bool) -> Iterator[str]:
    text = line.strip()
    text = text.removeprefix("|")
    if text.endswith("|") and not _ends_escaped(text):
        text = text[:-1]
    ends = _code_ends(text) if skip_code and "`" in text else {}
    start = at = 0
    cell: list[str] = []
    while match := _BAR_OR_CODE.search(text, at):
        at = match.end()
        if match[0] == "|":
            yield "".join([*cell, text[start : match.start()]]).strip()
            cell, start = [], at
        elif match[1] and (end := ends.get(match.start())):
            code = text[match.start() : end]
            cell += text[start : match.start()], _BAR.sub(r"\\|", code)
            start = at = end
    yield "".join([*cell, text[start:]]).strip()


def _code_ends(text: str) -> dict[int, int]:
    """Find where each code span ends, by its start; a backslash escapes the start alone."""
    by_length: dict[int, list[tuple[int, int]]] = {}
    for run in reversed(list(_BACKQUOTES.finditer(text))):
        by_length.setdefault(len(run[0]), []).append(run.span())
    ends: dict[int, int] = {}
    at = 0
    while match := _ESCAPED_OR_BACKQUOTES.search(text, at):
        at = match.end()
        if match[1]:
            same = by_length.get(len(match[1]), [])
            while same and same[-1][0] < at:
                same.pop()
            if same:
                at = ends[match.start()] = same[-1][1]
    return ends
