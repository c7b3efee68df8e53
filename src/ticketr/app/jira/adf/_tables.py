r"""Normalises Markdown tables into the form that marklas reads.

marklas converts a whole table to one line of text if a row has a cell too few or too many, or a
``|`` in code. So short rows are filled, empty cells beyond the last column are cut, a ``|`` in code
is escaped, and outer bars are added. A table that cannot be repaired without losing a word is
reported with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

#: Cells that are filled in one text; a wide table of short rows could need millions.
_MAX_ADDED_CELLS_PER_TEXT = 2_000

# Blanks of any kind: what is copied from a page has hard ones. Nothing is given back once it is
# read, or a long line of blanks would take its length squared.
_DELIMITER_ROW = re.compile(r" {0,3}\|?\s*+:?-++:?\s*+(?:\|\s*+:?-++:?\s*+)*+\|?\s*+")
_POSSIBLE_DELIMITER_ROW = re.compile(r"[\s>]*+[|:\-][|:\-\s]*+")
# A line that begins another block, and so ends a table and heads none.
_OTHER_BLOCK_START = re.compile(
    r" {0,3}(?:#{1,6}(?:[ \t]|$)|>|</?(?:aside|details|div|figure|section|summary|ul)\b|```|~~~|[-+*](?:[ \t]|$)|\d{1,9}[.)](?:[ \t]|$)"
    r"|(?:[-*_][ \t]*){3,}$)"
)
_CODE_FENCE_START = re.compile(r"[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*(`{3,}(?=[^`]*$)|~{3,})")
_BACKQUOTES = re.compile("`+")
_ESCAPED_OR_BACKQUOTES = re.compile(r"\\.|(`+)", re.DOTALL)
_UNESCAPED_BAR = re.compile(r"(?<!\\)\|")
_BAR_OR_CODE = re.compile(r"\\.|(`+)|\|", re.DOTALL)


class TablesForMarklas:
    """The tables of a text, in the form that marklas reads; no line is added or removed.

    Attributes:
        markdown: The text with its tables in marklas's form.
        problems: The number, from 1, of each line that could not be put into it, and why.
        delimiters: The numbers, from 1, of lines that look like a delimiter row, except of tables
            with problems. marklas does not read one in a list or a quote; some may be in code.
    """

    def __init__(self, markdown: str) -> None:
        self.markdown = markdown
        self.problems: list[tuple[int, str]] = []
        self.delimiters: list[int] = []
        self._added_cells = 0
        if "|" in markdown:
            self._lines = markdown.split("\n")
            self._normalise_tables()
            self.markdown = "\n".join(self._lines)

    def _normalise_tables(self) -> None:
        """Normalise the tables, and note what cannot be read as one."""
        lines, index = self._lines, 1
        code = {at for start, end in fence_indexes(lines) for at in range(start, end + 1)}
        while index < len(lines):
            line = lines[index]
            may_be = index not in code and "-" in line and "|" in line and "|" in lines[index - 1]
            if may_be and _POSSIBLE_DELIMITER_ROW.fullmatch(line):
                if columns := self._count_columns_or_0(index):
                    index = self._normalise_table(index, columns)
                    continue
                self.delimiters.append(index + 1)
            index += 1

    def _count_columns_or_0(self, delimiter_index: int) -> int:
        """Count the columns of the table whose second line this is; 0 if it heads none."""
        head = self._lines[delimiter_index - 1]
        if not _DELIMITER_ROW.fullmatch(self._lines[delimiter_index]) or head.startswith(
            ("    ", "\t")
        ):
            return 0
        if _OTHER_BLOCK_START.match(head):
            return 0
        columns = len(_split_cells(self._lines[delimiter_index]))
        return columns if columns == len(_split_cells(head)) else 0

    def _normalise_table(self, delimiter_index: int, columns: int) -> int:
        """Normalise a table; return the index of the line after it."""
        problems, index = len(self.problems), delimiter_index + 1
        self._pad_row_or_note_problem(delimiter_index - 1, columns)
        self._pad_row_or_note_problem(delimiter_index, columns)
        while index < len(self._lines):
            line = self._lines[index]
            if not line.strip() or _OTHER_BLOCK_START.match(line):
                break
            if not any(match[0] == "|" for match in _BAR_OR_CODE.finditer(line)):
                advice = "put an empty line before it, or a | around it if it is a row"
                self.problems.append((index + 1, f"is right below a table; {advice}"))
                break
            self._pad_row_or_note_problem(index, columns)
            index += 1
        if len(self.problems) == problems:
            self.delimiters.append(delimiter_index + 1)
        return index

    def _pad_row_or_note_problem(self, index: int, columns: int) -> None:
        """Write a row with as many cells as its table has, or note what is wrong with it."""
        line = self._lines[index]
        cells = _split_cells(line)
        if not any(cells[columns:]):
            del cells[columns:]
        missing = columns - len(cells)
        if missing < 0 or missing + self._added_cells > _MAX_ADDED_CELLS_PER_TEXT:
            count = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
            reason = f"has {count} where its table has {columns}; a | that is text is written \\|"
            self.problems.append((index + 1, reason))
            return
        self._added_cells += missing
        indent = line[: len(line) - len(line.lstrip())]
        self._lines[index] = f"{indent}| {' | '.join([*cells, *[''] * missing])} |"


#: What is wrong with a line that looks like the second line of a table but is not one.
NOT_A_TABLE_REASON = (
    "looks like a table, but is none: each row needs as many cells as the first, and it cannot "
    "be in a list or a quote; if it is text, put a backslash before each |"
)


def fenced_ranges(markdown: str) -> list[tuple[int, int]]:
    """Return where each block of code between fences starts and ends."""
    if "```" not in markdown and "~~~" not in markdown:
        return []
    lines = markdown.split("\n")
    places = list(accumulate((len(line) + 1 for line in lines), initial=0))
    return [(places[start], places[end]) for start, end in fence_indexes(lines)]


def fence_indexes(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the indices of the fences of each block of code; a missing one is behind the last line."""
    fence, start = "", 0
    for at, line in enumerate(lines):
        if fence:
            rest = line.lstrip(" \t>").rstrip()
            if rest.startswith(fence) and not rest.strip(fence[0]):
                yield start, at
                fence = ""
        elif opened := _CODE_FENCE_START.match(line):
            fence, start = opened[1], at
    if fence:
        yield start, len(lines)


def blank_code_keeping_lines(markdown: str) -> str:
    """Replace code by blanks, between fences and between backquotes of one line."""
    if "`" not in markdown and "~~~" not in markdown:
        return markdown
    lines = markdown.split("\n")
    for start, end in list(fence_indexes(lines)):
        lines[start : end + 1] = [""] * len(lines[start : end + 1])
    return "\n".join("".join(_blank_code_parts(line)) if "`" in line else line for line in lines)


def _blank_code_parts(line: str) -> Iterator[str]:
    at = 0
    for start, end in _find_code_ends(line).items():
        yield line[at:start] + " " * (end - start)
        at = end
    yield line[at:]


def _split_cells(line: str) -> list[str]:
    r"""Split a row at its bars; those in code come back as ``\|``."""
    text = line.strip().removeprefix("|")
    before = text[:-1]
    if text.endswith("|") and (len(before) - len(before.rstrip("\\"))) % 2 == 0:
        text = before
    ends = _find_code_ends(text) if "`" in text else {}
    start = at = 0
    cells = [""]
    while match := _BAR_OR_CODE.search(text, at):
        at = match.end()
        if match[0] == "|":
            cells[-1] += text[start : match.start()]
            cells.append("")
            start = at
        elif match[1] and (end := ends.get(match.start())):
            code = text[match.start() : end]
            cells[-1] += text[start : match.start()] + _UNESCAPED_BAR.sub(r"\\|", code)
            start = at = end
    cells[-1] += text[start:]
    return [cell.strip() for cell in cells]


def _find_code_ends(text: str) -> dict[int, int]:
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
