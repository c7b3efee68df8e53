"""Parses the text of a file into tickets.

An ``_IssueReader`` reads the lines of one ticket or of one task. Its current section is the method
that reads the next line; each such method returns the index of the first line that it did not
read. Lines that do not fit into their section become text of the description. `parse` finds the start and
end of each ticket, and refuses what a file must not contain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NoReturn

from ticketr.app.config.checks import nearest
from ticketr.app.tickets import grammar, model
from ticketr.app.tickets.errors import TicketSyntaxError
from ticketr.app.tickets.grammar import (
    COMMA_BEFORE_COMMENT_TIME,
    COMMENT_BULLET_WITH_ID,
    COMMENTS_HEADING_PATTERN,
    COMMENTS_SECTION,
    MAY_BE_SPECIAL,
    NEW_COMMENT_BULLET,
    OPENING_FENCE,
    TICKET_PREFIX,
    has_comments_below,
)

if TYPE_CHECKING:
    from ticketr.app.tickets.model import RunStartsInTextAndFile


_BOM = "\ufeff"
_LINE_END_PATTERN = re.compile("(\r\n|\n|\r)")


class SourceLines:
    """The lines of a file without their ends, which are LF, CRLF or CR as in Markdown.

    Attributes:
        text: The whole text.
        name: The name of the file in an error.
        lines: The lines, without a byte order mark.
        starts: The offset of each line's start, and the length of the text.
        keys: The number of the line with each key so far, from 1.
    """

    __slots__ = ("keys", "lines", "name", "starts", "text")

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.keys: dict[str, int] = {}
        if "\r" in text:
            parts = _LINE_END_PATTERN.split(text)
            self.lines = parts[::2]
            self.starts = list(accumulate(map(len, parts), initial=0))[::2]
        else:
            self.lines = text.split("\n")
            self.starts = list(accumulate((len(line) + 1 for line in self.lines), initial=0))
        self.starts[len(self.lines) :] = [len(text)]
        if text.startswith(_BOM):
            self.lines[0] = self.lines[0].removeprefix(_BOM)
            self.starts[0] = len(_BOM)

    def fail(self, index: int, problem: str, *, column: int = 1) -> NoReturn:
        """Raise an error about a line, whose index starts at 0.

        Raises:
            TicketSyntaxError: Always.
        """
        line = self.lines[index]
        raise TicketSyntaxError(self.name, index + 1, column, problem, line)


def refuse_mistyped_heading(
    file: SourceLines, index: int, line: str, *, in_ticket: bool = True
) -> None:
    """Raise if a line is a mistyped heading of a ticket or a section, which would become text.

    Args:
        file: The file.
        index: The index of the line in the file.
        line: The line, perhaps without an indent.
        in_ticket: Whether it could be the heading of a section.
    """
    if match := grammar.ALMOST_TICKET.match(line):
        if "STORY" in match[0]:
            problem = "stories are tickets now; write # TICKET: Title"
        elif line.lstrip().startswith(TICKET_PREFIX):
            problem = "the heading of a ticket begins in the first column; remove what is before it"
        else:
            problem = "this is not quite the heading of a ticket; write # TICKET: Title"
        problem = f"{problem}, or \\# if it is text"
    elif in_ticket and grammar.SECTION_ONE_LETTER_OFF.match(line):
        section = nearest(line.strip("# \t:"), grammar.SECTION_NAMES)
        problem = f"did you mean ## {section}? If it is text, put a backslash before it: \\##"
    else:
        return
    file.fail(index, problem, column=file.lines[index].index("#") + 1)


def require_closing_fence(
    file: SourceLines, index_in_file: int, lines: Sequence[str], start: int
) -> int:
    """Return the index of the line that closes the code block opened by ``lines[start]``.

    Args:
        file: The file, for the error.
        index_in_file: The index of ``lines[start]`` in the file.
        lines: The lines in which the block must end: the file's, or those of a task.
        start: The index of the opening line in `lines`.

    Raises:
        TicketSyntaxError: The block is not closed.
    """
    end = grammar.closing_fence(lines, start)
    if end is None:
        file.fail(
            index_in_file,
            "this code block is not closed before the next heading or code block; close it, or "
            "put a backslash before it if it is text",
        )
    return end


@dataclass(eq=False, repr=False)
class _TextOfPassages:
    """A text that consists of one or several passages of a file.

    Attributes:
        heading_line: The number of the heading of its section in the file, from 1; 0 if it has
            none.
        lines: The lines.
        index_and_line_of_passages: For each time that lines were added, the index of the first of them, and its
            number in the file. Some may have been removed since.
    """

    heading_line: int = 0
    lines: list[str] = field(default_factory=list)
    index_and_line_of_passages: list[tuple[int, int]] = field(default_factory=list)

    def line_runs(self) -> RunStartsInTextAndFile:
        """Return the runs of the lines; the text starts at its first non-blank line."""
        runs: list[tuple[int, int]] = []
        for at, number in self.index_and_line_of_passages:
            while runs and runs[-1][0] >= at:
                runs.pop()
            if not runs or at - runs[-1][0] != number - runs[-1][1]:
                runs.append((at, number))
        blank = 0
        if self.lines and not self.lines[0].strip():
            blank = next((at for at, line in enumerate(self.lines) if line.strip()), 0)
        return tuple([(at - blank + 1, number) for at, number in runs])


_STAR_PLUS_OR_NUMBER_ITEM = re.compile(r"(?:[*+]|[0-9]{1,9}[.)])[ \t]+(?=\S)")


def _comment_and_text_start(line: str) -> tuple[model.Comment, int] | None:
    """Parse the first line of a comment.

    Returns:
        The comment with the rest of the line as its text, and the index where that begins; None for
        any other line.
    """
    if match := NEW_COMMENT_BULLET.match(line):
        return model.Comment(line[match.end() :]), match.end()
    match = COMMENT_BULLET_WITH_ID.match(line)
    if match is None:
        return None
    rest = line[match.end() :]
    when = COMMA_BEFORE_COMMENT_TIME.search(rest)
    if when is None:
        author = rest.rstrip().removesuffix(":")
        return model.Comment("", match[1], author), len(line)
    start = match.end() + when.end() + len(when[1])
    text = line[start:].removeprefix(":")
    author = rest[: when.start()]
    comment = model.Comment(text, match[1], author, when[1])
    return comment, len(line) - len(text.lstrip())


INDENT: Final = "  "


def dedented(line: str, width: int = len(INDENT)) -> str:
    """Return a line without its indent; a tab counts as two spaces, and less is allowed."""
    if width > len(INDENT) and line[:width].isspace():
        return line[width:]
    if line.startswith(INDENT):
        return line[len(INDENT) :]
    if line.startswith("\t"):
        return line[1:]
    return line if line.strip() else ""


@dataclass(eq=False, repr=False)
class _IssueReader:
    """Reads a ticket, or a task.

    Attributes:
        file: The file.
        title_line_index: The index of the line with the key and the title.
        key: The key; None for a draft.
        title: The title.
        file_or_task_lines: The lines of the file; of a task, those below its first line, without their indent.
        start_index: The index in the file of the first of `file_or_task_lines`.
        is_task: Whether it is a task.
        description: The description.
        fields: The fields.
        field_lines: The number of each field's line in the file, from 1.
        non_field_lines: The lines among the fields that are none.
        criteria: The lines of each criterion, with the number of its first line.
        tasks: The tasks.
        comments: The comments.
        rich_texts: The texts of fields.
        open_criterion: The criterion that further lines belong to.
        index_after_stray: The index behind the last line that did not fit into its section.
        open_text: The text that lines of text belong to.
        read_line: Reads the next line in the present section. It is a function, not a bound method,
            which would refer to its reader: the two would be a cycle for each issue, which only the
            garbage collector frees.
    """

    file: SourceLines
    title_line_index: int
    key: str | None
    title: str
    file_or_task_lines: Sequence[str]
    start_index: int = 0
    is_task: bool = False
    description: _TextOfPassages = field(default_factory=_TextOfPassages)
    fields: model.AlreadyNormalFields = field(default_factory=model.AlreadyNormalFields)
    field_lines: dict[str, int] = field(default_factory=dict)
    non_field_lines: list[str] = field(default_factory=list)
    criteria: list[tuple[int, list[str]]] = field(default_factory=list)
    tasks: list[model.Ticket] = field(default_factory=list)
    comments: list[model.Comment] = field(default_factory=list)
    rich_texts: dict[str, _TextOfPassages] = field(default_factory=dict)
    open_criterion: list[str] | None = None
    index_after_stray: int = -1
    open_text: _TextOfPassages = field(init=False)
    read_line: Callable[[_IssueReader, int], int] = field(init=False)

    def read(self) -> int:
        """Read up to the next ticket or the end; return the index of the line after the last."""
        self._open_or_resume_text(self.description)
        lines = self.file_or_task_lines
        index = 0 if self.is_task else self.title_line_index + 1
        while index < len(lines):
            line = lines[index]
            if MAY_BE_SPECIAL.match(line):
                if not self.is_task and line.startswith(TICKET_PREFIX):
                    break
                if self._enters_section(index, line):
                    index += 1
                    continue
            index = self.read_line(self, index)
        return index

    def build_ticket(self) -> model.Ticket:
        """Return the finished ticket."""
        criteria = [
            number + next(at for at, line in enumerate(lines) if line.strip())
            for number, lines in self.criteria
            if any(map(str.strip, lines))
        ]
        texts = {
            name: model.TextLineNumbers(text.heading_line, text.line_runs())
            for name, text in self.rich_texts.items()
        }
        line_numbers = model.LineNumbers(
            self.description.line_runs(), tuple(criteria), texts, tuple(self.field_lines.items())
        )
        return model.Ticket(
            title=self.title,
            key=self.key,
            description="\n".join(self.description.lines),
            fields=self.fields,
            acceptance_criteria=tuple(["\n".join(lines) for _, lines in self.criteria]),
            tasks=tuple(self.tasks),
            comments=tuple(self.comments),
            rich_texts={name: "\n".join(text.lines) for name, text in self.rich_texts.items()},
            line=self.title_line_index + 1,
            non_field_lines=tuple(self.non_field_lines),
            line_numbers=line_numbers,
        )

    def _enters_section(self, index: int, line: str) -> bool:
        section = grammar.section_of(line, in_task=self.is_task)
        if section is None and line.startswith("## ") and COMMENTS_HEADING_PATTERN.match(line):
            in_text = self.read_line is _IssueReader._read_text_or_code
            if has_comments_below(self.file_or_task_lines, index, may_be_empty=not in_text):
                section = COMMENTS_SECTION
        if section is None:
            refuse_mistyped_heading(self.file, index + self.start_index, line)
            return False
        self.open_criterion = None
        match section:
            case grammar.DESCRIPTION_SECTION:
                self._open_or_resume_text(self.description)
            case grammar.RICH_TEXT_SECTION:
                number = index + self.start_index + 1
                name = grammar.field_name_in_rich_text_heading(line)
                self._open_or_resume_text(self.rich_texts.setdefault(name, _TextOfPassages(number)))
            case grammar.FIELDS_SECTION:
                self.read_line = _IssueReader._read_fields
            case grammar.CRITERIA_SECTION:
                self.read_line = _IssueReader._read_criterion_line
            case grammar.COMMENTS_SECTION:
                self.read_line = _IssueReader._read_comment
            case _:
                self.read_line = _IssueReader._read_task
        return True

    # Text: the description with lines that fit into no other section, and texts of fields.

    def _open_or_resume_text(self, text: _TextOfPassages) -> None:
        """Begin another passage of a text, behind a blank line if there is one already."""
        while text.lines and not text.lines[-1].strip():
            text.lines.pop()
        if text.lines:
            text.lines.append("")
        self.open_text = text
        self.read_line = _IssueReader._read_text_or_code

    def _read_text_or_code(self, index: int, *, is_single: bool = False) -> int:
        """Read a line of text, or the block of code that it opens.

        Args:
            index: The line.
            is_single: Whether to leave the lines behind it that have no special meaning either.
        """
        lines, stop = self.file_or_task_lines, index + 1
        line = lines[index]
        text: Sequence[str]
        if not MAY_BE_SPECIAL.match(line):
            while not is_single and stop < len(lines) and not MAY_BE_SPECIAL.match(lines[stop]):
                stop += 1
            text = lines[index:stop]
        elif OPENING_FENCE.match(line):
            stop = require_closing_fence(self.file, index + self.start_index, lines, index) + 1
            code = [grammar.unescape(line, fenced=True) for line in lines[index + 1 : stop]]
            text = [line, *code]
        elif COMMENTS_HEADING_PATTERN.match(line) and has_comments_below(lines, index):
            text = [line.removeprefix("\\")]
        else:
            text = [grammar.unescape(line)]
        self.open_text.index_and_line_of_passages.append(
            (len(self.open_text.lines), index + self.start_index + 1)
        )
        self.open_text.lines += text
        return stop

    def _add_stray_line_to_text(self, index: int, *, stays_in_section: bool) -> int:
        """Read a line as text, then stay in the section or continue with text."""
        section = self.read_line
        if index != self.index_after_stray:
            self._open_or_resume_text(self.description)
        self.index_after_stray = self._read_text_or_code(index, is_single=stays_in_section)
        self.read_line = section if stays_in_section else _IssueReader._read_text_or_code
        return self.index_after_stray

    # Fields.

    def _read_fields(self, index: int) -> int:
        """Read a line of the section, and those behind it that have no special meaning."""
        lines, fields, field_lines = self.file_or_task_lines, self.fields, self.field_lines
        first, offset = index, self.start_index + 1
        while index < len(lines):
            texts = grammar.read_plain_field(lines[index])
            if texts is None:
                if index > first and MAY_BE_SPECIAL.match(lines[index]):
                    break
                text = lines[index].strip()
                if text.startswith("##"):
                    return self._add_stray_line_to_text(index, stays_in_section=False)
                if text and not text.startswith("#"):
                    texts = grammar.read_field(text)
                if texts is None and text:
                    self.non_field_lines.append(text)
            if texts is not None:
                name, value = texts
                field_lines[name] = index + offset
                if value == "|":
                    value, index = self._read_value_and_last_index(index)
                other = fields.get(name, value)
                if other != value:  # the last value counts; the other stays in the file
                    self.non_field_lines += [f"# {name}: {line}" for line in other.split("\n")]
                fields[name] = value
            index += 1
        return index

    def _read_value_and_last_index(self, index: int) -> tuple[str, int]:
        """Return the indented lines below ``Name: |`` as a text, and the index of the last."""
        block: list[str] = []
        last = index
        for at in range(index + 1, len(self.file_or_task_lines)):
            line = self.file_or_task_lines[at]
            if line.strip():
                if not line.startswith((INDENT, "\t")):
                    break
                if MAY_BE_SPECIAL.match(line):
                    refuse_mistyped_heading(self.file, at + self.start_index, line)
                    if grammar.section_of(line, in_task=self.is_task):
                        break
                last = at
            block.append(grammar.unescape(dedented(line)))
        text = "\n".join(block[: last - index]) or "|"
        return grammar.with_lf_and_utf8(text).strip(), last

    # Acceptance criteria.

    def _read_criterion_line(self, index: int) -> int:
        line = self.file_or_task_lines[index]
        text = line.lstrip()
        other = _STAR_PLUS_OR_NUMBER_ITEM.match(line)
        if other or text.startswith("-"):
            self.open_criterion = None
            if not grammar.is_line_of_dashes(text.rstrip()):
                self.open_criterion = [line[other.end() :] if other else text[1:].lstrip()]
                self.criteria.append((index + self.start_index + 1, self.open_criterion))
        elif self.open_criterion is not None and _continues_criterion(self.open_criterion, line):
            self.open_criterion.append(grammar.unescape_criterion_continuation(dedented(line)))
        elif text:
            self.open_criterion = None
            return self._add_stray_line_to_text(index, stays_in_section=not line.startswith("##"))
        return index + 1

    # Comments.

    def _read_comment(self, index: int) -> int:
        line = self.file_or_task_lines[index]
        if not line.strip():
            return index + 1
        if line.startswith("##"):
            return self._add_stray_line_to_text(index, stays_in_section=False)
        head = _comment_and_text_start(line)
        if head is None:
            problem = (
                "this is not a comment; write - new: before the text of a new one, and indent its "
                "other lines by two spaces"
            )
            self.file.fail(index + self.start_index, problem)
        comment, column = head
        if comment.id and any(existing.id == comment.id for existing in self.comments):
            problem = "this comment already exists; remove one of the two"
            self.file.fail(index + self.start_index, problem)
        stop = self._end_of_comment_entry(index + 1, is_prose=bool(comment.text))
        text = [line[column:], *map(dedented, self.file_or_task_lines[index + 1 : stop])]
        first = next((at for at, line in enumerate(text) if line.strip()), 0)
        lines = self._unescape_and_check(text, index + self.start_index)
        number = index + self.start_index + first + 1
        self.comments.append(replace(comment, text="\n".join(lines), text_line=number))
        return stop

    def _end_of_comment_entry(self, start: int, *, is_prose: bool) -> int:
        """Return the index behind the last line of a comment.

        A line without indent still belongs to it right below a line of prose, as in Markdown.
        """
        stop = start
        for index in range(start, len(self.file_or_task_lines)):
            line = self.file_or_task_lines[index]
            if line.startswith((INDENT, "\t")) or (is_prose and line[:1].isalnum()):
                is_prose = is_prose or bool(line.strip())
            elif line.strip():
                break
            if line.strip():
                stop = index + 1
            else:
                is_prose = False
        return stop

    def _unescape_and_check(self, lines: Sequence[str], first: int) -> list[str]:
        """Return the lines of a text without escapes, or refuse one; ``first`` is the index of the first."""
        text: list[str] = []
        while len(text) < len(lines):
            at = len(text)
            text.append(grammar.unescape(lines[at]))
            if OPENING_FENCE.match(lines[at]):
                end = require_closing_fence(self.file, first + at, lines, at)
                text += (grammar.unescape(line, fenced=True) for line in lines[at + 1 : end + 1])
            elif at:
                refuse_mistyped_heading(self.file, first + at, lines[at])
        return text

    # Tasks.

    def _read_task(self, index: int) -> int:
        line = self.file_or_task_lines[index]
        text = line.strip()
        if text and not text.startswith("-"):
            return self._add_stray_line_to_text(index, stays_in_section=not line.startswith("##"))
        if not text or grammar.is_line_of_dashes(text):
            return index + 1
        indent = len(line) - len(line.lstrip())
        stop = self._end_of_task(index + 1, indent)
        width = indent + len(INDENT)
        body = [dedented(line, width) for line in self.file_or_task_lines[index + 1 : stop]]
        key, title = _read_heading(self.file, index, indent + 1)
        task = _IssueReader(self.file, index, key, title, body, start_index=index + 1, is_task=True)
        task.read()
        if title:
            self.tasks.append(task.build_ticket())
        elif any(map(str.strip, body)):
            self.file.fail(index, "a task needs a title; write - Title", column=indent + 1)
        return stop

    def _end_of_task(self, start: int, indent: int) -> int:
        inner = " " * (indent + len(INDENT))
        for index in range(start, len(self.file_or_task_lines)):
            line = self.file_or_task_lines[index]
            if line.startswith(inner):  # no next task, nor a heading
                continue
            text = line.lstrip()
            if line.startswith((INDENT, "\t")):
                # The next task is indented only if this one is.
                if text.startswith("-") and len(line) - len(text) <= indent:
                    return index
            elif text.startswith(("-", "##")) or line.startswith(TICKET_PREFIX):
                return index
        return len(self.file_or_task_lines)


def _read_heading(file: SourceLines, index: int, start: int) -> tuple[str | None, str]:
    """Return the key, or None, and the title that are in a line, behind what begins it.

    All text behind a key is the title. Without a key, a backslash escapes a bracket or a text that
    looks like a key, as `grammar.write_key_and_title` writes it.

    Raises:
        TicketSyntaxError: There is a key without a title, a mistyped key, or a key for the second
            time.
    """
    line = file.lines[index]
    rest = line[start:].lstrip()
    column = len(line) - len(rest) + 1
    text = rest.rstrip()
    bracket = grammar.BRACKETED_TEXT.match(text)
    if bracket is not None and grammar.is_key(bracket[1]):
        key, title = bracket[1], text[bracket.end() :]
        if not title:
            problem = "there is a key but no title; write the title behind the key"
            file.fail(index, problem, column=column)
        number = file.keys.setdefault(key, index + 1)
        if number <= index:
            problem = f"{key} is already on line {number}; remove one of the two"
            file.fail(index, problem, column=line.index("[") + 1)
        return key, title
    if match := grammar.NEARLY_KEY_AT_START.match(text):
        word = match["in_word"] or match["bare_word"]
        number_text = match["in_number"] or match["bare_number"]
        key = f"{word.upper()}-{number_text.lstrip('0')}"
        meant = f"[{key}]" if grammar.is_key(key) else "a key as [PROJ-123]"
        problem = (
            f"this is not a key, but looks like one; write {meant}, or put a backslash before it if "
            "it belongs to the title"
        )
        file.fail(index, problem, column=column)
    return None, text[1:] if grammar.ESCAPED_KEYLIKE_TITLE.match(text) else text


def _continues_criterion(item: Sequence[str], line: str) -> bool:
    """Return whether a line continues a criterion: by its indent, or as the next line of prose."""
    if line.startswith((INDENT, "\t")) or not line.strip():
        return True
    return not line.startswith("##") and (len(item) == 1 or item[-1].strip() != "")


def parse(text: str, *, source: str = "<text>") -> model.TicketFile:
    """Parse the tickets of a file.

    No text is ignored: what is not a field, criterion or task becomes text of the description
    (docs/format.md has the rules).

    Args:
        text: The whole text of the file.
        source: The name of the file in an error.

    Returns:
        The tickets, their places, and the text around them.

    Raises:
        TicketSyntaxError: The text holds git's conflict markers, a mistyped heading of a ticket, a
            code block that is never closed, or a key twice.
    """
    file = SourceLines(text, source)
    lines, starts = file.lines, file.starts
    if "<<<<<<<" in text or ">>>>>>>" in text:
        _refuse_conflict_markers(file)
    # Nearly every file begins with a ticket.
    first = index = 0 if lines[0].startswith(TICKET_PREFIX) else _end_of_preamble(file)
    tickets, spans = [], []
    while index < len(lines):
        key, title = _read_heading(file, index, len(TICKET_PREFIX))
        if not title:
            problem = "a ticket needs a title; write # TICKET: Title"
            file.fail(index, problem, column=len(lines[index]) + 1)
        reader = _IssueReader(file, index, key, title, lines)
        start, index = index, reader.read()
        stop = index
        while not lines[stop - 1].strip():
            stop -= 1
        tickets.append(reader.build_ticket())
        spans.append(slice(starts[start], starts[stop]))
    preamble = text[starts[0] : starts[first]]
    return model.TicketFile(text, preamble, tuple(tickets), tuple(spans))


def _refuse_conflict_markers(file: SourceLines) -> None:
    for index, line in enumerate(file.lines):
        if grammar.CONFLICT_MARKER.match(line):
            file.fail(
                index,
                "this file holds a git conflict; resolve it, or put a backslash before the "
                "marker if it is text",
            )


def _end_of_preamble(file: SourceLines) -> int:
    """Return the index of the first ticket's heading."""
    index = 0
    while index < len(file.lines):
        line = file.lines[index]
        if MAY_BE_SPECIAL.match(line):
            if line.startswith(TICKET_PREFIX):
                break
            refuse_mistyped_heading(file, index, line, in_ticket=False)
            if OPENING_FENCE.match(line):
                index = require_closing_fence(file, index, file.lines, index)
        index += 1
    return index
