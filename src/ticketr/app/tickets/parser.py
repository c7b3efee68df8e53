"""Parses the text of a file into tickets.

A ``_SectionReader`` reads the lines of one ticket or of one task. Its current section is the method
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
    ALMOST_SECTION,
    BEFORE_TIME,
    COMMENTS,
    CONFLICT,
    KNOWN_COMMENT,
    MAY_BE_SPECIAL,
    NEW_COMMENT,
    SECTION_NAMES,
    TICKET,
    begins_comments,
    closing,
    is_comments_heading,
    is_heading,
    opening,
    stripped,
)

if TYPE_CHECKING:
    from ticketr.app.tickets.model import Runs


_BOM = "\ufeff"
_LINE_END = re.compile("(\r\n|\n|\r)")


class SourceLines:
    """The lines of a file without their ends, which are LF, CRLF or CR as in Markdown.

    Attributes:
        text: The whole text.
        name: The name of the file in an error.
        lines: The lines, without a byte order mark.
        suspect: The index of the first code block that holds a heading: an error about an unclosed
            block names it instead.
    """

    __slots__ = ("_end", "_offsets", "lines", "name", "suspect", "text")

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.suspect: int | None = None
        if "\r" in text:
            parts = _LINE_END.split(text)
            self.lines = parts[::2]
            self._offsets = list(accumulate(map(len, parts), initial=0))[::2]
            self._end = 0
        else:
            self.lines = text.split("\n")
            self._offsets = list(accumulate(map(len, self.lines), initial=0))
            self._end = 1  # the length of a line's end, which the offsets leave out
        if text.startswith(_BOM):
            self.lines[0] = self.lines[0].removeprefix(_BOM)
            self._offsets[0] = len(_BOM)

    def start_of(self, index: int) -> int:
        """Return the offset of a line's start; behind the last line, the text's length."""
        if index < len(self.lines):
            return self._offsets[index] + index * self._end
        return len(self.text)

    def fail(self, index: int, problem: str, *, column: int = 1) -> NoReturn:
        """Raise an error about a line, whose index starts at 0.

        Raises:
            TicketSyntaxError: Always.
        """
        line = self.lines[index]
        raise TicketSyntaxError(self.name, index + 1, column, problem, line)


def refuse_mistakes(file: SourceLines, index: int, line: str) -> None:
    """Raise if a line is a mistyped heading of a ticket, which would become text."""
    match = grammar.ALMOST_TICKET.match(line)
    if match is None:
        return
    if "STORY" in match[0]:
        problem = "stories are tickets now; write # TICKET: Title"
    elif line.lstrip().startswith(grammar.TICKET):
        problem = "the heading of a ticket begins in the first column; remove what is before it"
    else:
        problem = "this is not quite the heading of a ticket; write # TICKET: Title"
    column = file.lines[index].index("#") + 1
    file.fail(index, f"{problem}, or \\# if it is text", column=column)


def refuse_mistyped_section(file: SourceLines, index: int, line: str) -> None:
    """Raise if a line of a ticket is the heading of a section with a wrong letter."""
    name = line.strip("# \t:")
    if ALMOST_SECTION.match(line) and (section := nearest(name, SECTION_NAMES)):
        problem = f"did you mean ## {section}? If it is text, put a backslash before it: \\##"
        file.fail(index, problem, column=file.lines[index].index("#") + 1)


def skip_fence(file: SourceLines, index: int, lines: Sequence[str], start: int) -> int:
    """Return the index of the line that closes the code block opened by ``lines[start]``.

    Args:
        file: The file, for the error and for its `suspect`.
        index: The index of ``lines[start]`` in the file.
        lines: The lines in which the block must end: the file's, or those of a task.
        start: The index of the opening line in `lines`.

    Raises:
        TicketSyntaxError: The block is not closed.
    """
    end = closing(lines, start)
    if end is None:
        if file.suspect is not None:
            index = file.suspect
        file.fail(
            index,
            "this code block is not closed before the next heading or code block; close it, or "
            "put a backslash before it if it is text",
        )
    if file.suspect is None and any(map(is_heading, lines[start + 1 : end])):
        file.suspect = index
    return end


@dataclass(slots=True)
class _TextLines:
    """A text that consists of one or several passages of a file.

    Attributes:
        lines: The lines.
        runs: For each consecutive run of lines, the index of its first line in `lines` and its
            number in the file, from 1.
    """

    # `list[str]` takes twenty times as long to call as `list`, and each issue has some.
    lines: list[str] = field(default_factory=list)
    runs: list[tuple[int, int]] = field(default_factory=list)

    def begin(self) -> None:
        """Begin another passage, behind a blank line if there is one already."""
        while self.lines and not self.lines[-1].strip():
            self.lines.pop()
        if self.lines:
            self.lines.append("")

    def mark(self, line: int) -> None:
        """Record the number in the file, from 1, of the next line of the text."""
        at, runs = len(self.lines), self.runs
        while runs and runs[-1][0] >= at:
            runs.pop()
        if not runs or at - runs[-1][0] != line - runs[-1][1]:
            runs.append((at, line))

    def places(self) -> Runs:
        """Return the places of the lines; the text starts at its first non-blank line."""
        blank = 0
        if self.lines and not self.lines[0].strip():
            blank = next((at for at, line in enumerate(self.lines) if line.strip()), 0)
        return tuple([(at - blank + 1, line) for at, line in self.runs])

    def __str__(self) -> str:
        return "\n".join(self.lines)


_OTHER_ITEM = re.compile(r"(?:[*+]|[0-9]{1,9}[.)])[ \t]+(?=\S)")


@dataclass(slots=True)
class ParsedIssue:
    """A ticket or task while its lines are read.

    Attributes:
        key: The key, if any.
        title: The title.
        index: The index of the heading's line in the file.
        text: The description.
        fields: The fields.
        field_lines: The number of each field's line in the file, from 1.
        remarks: The lines in the section Fields that are not fields.
        criteria: The lines of each criterion.
        criteria_lines: The number of each criterion's first line in the file, from 1.
        tasks: The sub-tasks.
        comments: The comments.
        texts: The texts of fields that have sections of their own, by their names.
        headings: The number of the heading of each such section in the file, from 1.
    """

    key: str | None
    title: str
    index: int
    text: _TextLines = field(default_factory=_TextLines)
    fields: model.NormalFields = field(default_factory=model.NormalFields)
    field_lines: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    criteria: list[list[str]] = field(default_factory=list)
    criteria_lines: list[int] = field(default_factory=list)
    tasks: list[ParsedIssue] = field(default_factory=list)
    comments: list[model.Comment] = field(default_factory=list)
    texts: dict[str, _TextLines] = field(default_factory=dict)
    headings: dict[str, int] = field(default_factory=dict)

    def is_bare(self) -> bool:
        """Return whether nothing is below the heading."""
        more = self.fields or self.remarks or self.criteria or self.comments or self.texts
        return not (any(self.text.lines) or more)

    def ticket(self) -> model.Ticket:
        """Return the finished ticket."""
        return model.Ticket(
            title=self.title,
            key=self.key,
            description=str(self.text),
            fields=self.fields,
            acceptance_criteria=tuple(["\n".join(lines) for lines in self.criteria]),
            tasks=tuple([task.ticket() for task in self.tasks]),
            comments=tuple(self.comments),
            texts={name: str(text) for name, text in self.texts.items()},
            line=self.index + 1,
            remarks=tuple(self.remarks),
            places=self._places(),
        )

    def _places(self) -> model.Places:
        """Return the places of the texts."""
        if not (self.text.runs or self.criteria or self.texts or self.fields):
            return model.NO_PLACES
        criteria = [
            line + _first_text(lines)
            for line, lines in zip(self.criteria_lines, self.criteria, strict=True)
            if any(map(str.strip, lines))
        ]
        texts = {
            name: model.TextPlace(self.headings[name], text.places())
            for name, text in self.texts.items()
        }
        return model.Places(
            self.text.places(), tuple(criteria), texts, tuple(self.field_lines.items())
        )


def _first_text(lines: Sequence[str]) -> int:
    """Return the index of the first line that is not blank."""
    return next(at for at, line in enumerate(lines) if line.strip())


def read_issue(file: SourceLines, index: int, text: str, *, column: int) -> ParsedIssue:
    """Return a new issue with the key and title from the text of its heading."""
    try:
        key, title = grammar.read_title(text)
    except grammar.TitleError as error:
        line = file.lines[index]
        space = len(line) - column + 1 - len(line[column - 1 :].lstrip())
        file.fail(index, str(error), column=column + space)
    return ParsedIssue(key, title, index)


def _read_comment_head(line: str) -> tuple[model.Comment, int] | None:
    """Parse the first line of a comment.

    Returns:
        The comment with the rest of the line as its text, and the index where that begins; None for
        any other line.
    """
    if match := NEW_COMMENT.match(line):
        return model.Comment(line[match.end() :]), match.end()
    match = KNOWN_COMMENT.match(line)
    if match is None:
        return None
    rest = line[match.end() :]
    when = BEFORE_TIME.search(rest)
    if when is None:
        author = rest.rstrip().removesuffix(":")
        return model.Comment("", match[1], author), len(line)
    start = match.end() + when.end() + len(when[1])
    text = line[start:].removeprefix(":")
    author = rest[: when.start()]
    comment = model.Comment(text, match[1], author, when[1])
    return comment, len(line) - len(text.lstrip())


INDENT: Final = "  "
_NOT_A_COMMENT = (
    "this is not a comment; write - new: before the text of a new one, and indent its other lines by "
    "two spaces"
)


def dedented(line: str, width: int = len(INDENT)) -> str:
    """Return a line without its indent; a tab counts as two spaces, and less is allowed."""
    if width > len(INDENT) and line[:width].isspace():
        return line[width:]
    if line.startswith(INDENT):
        return line[len(INDENT) :]
    if line.startswith("\t"):
        return line[1:]
    return line if line.strip() else ""


class _SectionReader:
    """Reads the lines below the heading of a ticket or a task.

    Args:
        file: The file.
        issue: The issue that gets the content.
        lines: The lines of the file, or of the task without their indent.
        start: The index of the first line below the heading.
        offset: The index of ``lines[0]`` in the file.
        in_task: Whether the issue is a task.
    """

    def __init__(
        self,
        file: SourceLines,
        issue: ParsedIssue,
        lines: Sequence[str],
        start: int,
        *,
        offset: int = 0,
        in_task: bool = False,
    ) -> None:
        self._file = file
        self._issue = issue
        self._lines = lines
        self._first = start
        self._offset = offset
        self._in_task = in_task
        self._item: list[str] | None = None  # the criterion that further lines belong to
        self._stray_end = start
        self._target = issue.text  # the text that lines of text belong to
        # A function, not a bound method, which would refer to its reader: the two would be a cycle
        # for each issue, which only the garbage collector frees.
        self._read_line: Callable[[_SectionReader, int], int] = _SectionReader._text

    def read(self) -> int:
        """Read up to the next ticket or the end; return the index of the line after the last."""
        index, lines, may_be_special = self._first, self._lines, grammar.MAY_BE_SPECIAL.match
        while index < len(lines):
            line = lines[index]
            if may_be_special(line):
                if not self._in_task and line.startswith(grammar.TICKET):
                    break
                if self._enters_section(index, line):
                    index += 1
                    continue
            elif self._read_line is _SectionReader._text:
                index = self._prose(index)
                continue
            index = self._read_line(self, index)
        return index

    def _enters_section(self, index: int, line: str) -> bool:
        section = grammar.USUAL_HEADINGS.get(line)
        if section is None or (self._in_task and section == grammar.TASKS):
            refuse_mistakes(self._file, index + self._offset, line)
            refuse_mistyped_section(self._file, index + self._offset, line)
            section = grammar.section_of(line, in_task=self._in_task)
            if is_comments_heading(line) and self._begins_comments(index):
                section = COMMENTS
            if section is None:
                return False
        self._item = None
        if section == grammar.DESCRIPTION:
            self._begin_text(self._issue.text)
        elif section == grammar.FIELD:
            self._begin_field(index, line)
        elif section == grammar.FIELDS:
            self._read_line = _SectionReader._field
        elif section == grammar.CRITERIA:
            self._read_line = _SectionReader._criterion
        elif section == COMMENTS:
            self._read_line = _SectionReader._comment
        else:
            self._read_line = _SectionReader._task
        return True

    # Text: the description with lines that fit into no other section, and texts of fields.

    def _begin_text(self, text: _TextLines) -> None:
        text.begin()
        self._target = text
        self._read_line = _SectionReader._text

    def _begin_field(self, index: int, line: str) -> None:
        name = grammar.read_field_heading(line)
        self._issue.headings.setdefault(name, index + self._offset + 1)
        self._begin_text(self._issue.texts.setdefault(name, _TextLines()))

    def _prose(self, index: int) -> int:
        """Read a line of text that has no special meaning, and all such lines that follow it."""
        stop = self._end_of_plain(index)
        self._target.mark(index + self._offset + 1)
        self._target.lines += self._lines[index:stop]
        return stop

    def _end_of_plain(self, index: int) -> int:
        """Return the index behind a line and the lines after it that have no special meaning."""
        lines, may_be_special = self._lines, grammar.MAY_BE_SPECIAL.match
        index += 1
        while index < len(lines) and not may_be_special(lines[index]):
            index += 1
        return index

    def _text(self, index: int) -> int:
        lines, text = self._lines, self._target.lines
        line = lines[index]
        self._target.mark(index + self._offset + 1)
        if not grammar.MAY_BE_SPECIAL.match(line):
            text.append(line)
        elif opening(line):
            end = skip_fence(self._file, index + self._offset, lines, index)
            text.append(line)
            text += [grammar.unescape(line, fenced=True) for line in lines[index + 1 : end]]
            text.append(lines[end])
            return end + 1
        elif begins_comments(lines, index):
            text.append(line.removeprefix("\\"))
        else:
            text.append(grammar.unescape(line))
        return index + 1

    def _read_stray_line(self, index: int, *, stay: bool) -> int:
        """Read a line as text, then stay in the section or continue with text."""
        section = self._read_line
        if index != self._stray_end:
            self._begin_text(self._issue.text)
        self._stray_end = self._text(index)
        self._read_line = section if stay else _SectionReader._text
        return self._stray_end

    # Fields.

    def _field(self, index: int) -> int:
        """Read a line of the section, and those behind it that have no special meaning."""
        lines, fields, places = self._lines, self._issue.fields, self._issue.field_lines
        first, offset = index, self._offset + 1
        while index < len(lines):
            texts = grammar.plain_field(lines[index])
            if texts is None:
                if index > first and grammar.MAY_BE_SPECIAL.match(lines[index]):
                    break
                text = lines[index].strip()
                if text.startswith("##"):
                    return self._read_stray_line(index, stay=False)
                texts = None if text.startswith("#") else grammar.read_field(text)
                if texts is None and text:
                    self._issue.remarks.append(text)
            if texts is not None:
                name, value = texts
                places[name] = index + offset
                if value == "|":
                    value, index = self._block(index)
                    value = stripped(value)
                if name in fields:
                    self._keep_other(name, value)
                fields[name] = value
            index += 1
        return index

    def _block(self, index: int) -> tuple[str, int]:
        """Return the indented lines below ``Name: |`` as a text, and the index of the last."""
        block: list[str] = []
        last = index
        for at in range(index + 1, len(self._lines)):
            line = self._lines[at]
            if line.strip():
                if not line.startswith((INDENT, "\t")):
                    break
                if grammar.MAY_BE_SPECIAL.match(line):
                    refuse_mistakes(self._file, at + self._offset, line)
                    refuse_mistyped_section(self._file, at + self._offset, line)
                    if grammar.section_of(line, in_task=self._in_task):
                        break
                last = at
            block.append(grammar.unescape(dedented(line)))
        return "\n".join(block[: last - index]) or "|", last

    def _keep_other(self, name: str, value: str) -> None:
        """Keep another value of a field as a remark in the file: the last value counts."""
        other = self._issue.fields[name]
        if other != value:
            self._issue.remarks += [f"# {name}: {line}" for line in other.split("\n")]

    # Acceptance criteria.

    def _criterion(self, index: int) -> int:
        line = self._lines[index]
        text = line.lstrip()
        item = self._item
        if not text:
            if item is not None:
                item.append(dedented(line))
        elif text.startswith("-"):
            self._begin_item(index, text[1:].lstrip(), is_item=not grammar.is_rule(text.rstrip()))
        elif other := _OTHER_ITEM.match(line):
            self._begin_item(index, line[other.end() :])
        elif item is not None and _continues_criterion(item, line):
            item.append(grammar.unescape_item(dedented(line)))
        else:
            self._item = None
            return self._read_stray_line(index, stay=not line.startswith("##"))
        return index + 1

    def _begin_item(self, index: int, text: str, *, is_item: bool = True) -> None:
        self._item = [text] if is_item else None
        if self._item is not None:
            self._issue.criteria.append(self._item)
            self._issue.criteria_lines.append(index + self._offset + 1)

    # Comments.

    def _begins_comments(self, index: int) -> bool:
        """Return whether the heading of the comments is one; among text, a comment must follow."""
        if begins_comments(self._lines, index):
            return True
        following = (line for line in self._lines[index + 1 :] if line.strip())
        line = next(following, grammar.TICKET)
        ends = line.startswith(grammar.TICKET) or grammar.section_of(line, in_task=self._in_task)
        return bool(ends) and self._read_line is not _SectionReader._text

    def _comment(self, index: int) -> int:
        line = self._lines[index]
        if not line.strip():
            return index + 1
        if line.startswith("##"):
            return self._read_stray_line(index, stay=False)
        comment, stop = self._read_comment(index)
        if comment.id and any(existing.id == comment.id for existing in self._issue.comments):
            problem = "this comment already exists; remove one of the two"
            self._file.fail(index + self._offset, problem, column=1)
        self._issue.comments.append(comment)
        return stop

    def _read_comment(self, index: int) -> tuple[model.Comment, int]:
        """Parse the comment that a line begins; return it and the index of the line behind it.

        Raises:
            TicketSyntaxError: The line begins no comment, a code block in it is not closed, or a
                line in it is a mistyped heading.
        """
        head = _read_comment_head(self._lines[index])
        if head is None:
            self._file.fail(index + self._offset, _NOT_A_COMMENT)
        comment, column = head
        stop = self._end_of_comment(index + 1, is_prose=bool(comment.text))
        text = [self._lines[index][column:], *map(dedented, self._lines[index + 1 : stop])]
        first = next((at for at, line in enumerate(text) if line.strip()), 0)
        lines = self._unescaped(text, index + self._offset)
        line = index + self._offset + first + 1
        return replace(comment, text="\n".join(lines), line=line), stop

    def _end_of_comment(self, start: int, *, is_prose: bool) -> int:
        """Return the index behind the last line of a comment.

        A line without indent still belongs to it right below a line of prose, as in Markdown.
        """
        stop = start
        for index in range(start, len(self._lines)):
            line = self._lines[index]
            if line.startswith((INDENT, "\t")) or (is_prose and line[:1].isalnum()):
                is_prose = is_prose or bool(line.strip())
            elif line.strip():
                break
            if line.strip():
                stop = index + 1
            else:
                is_prose = False
        return stop

    def _unescaped(self, lines: Sequence[str], first: int) -> list[str]:
        """Return the lines of a text without escapes; ``first`` is the index of the first one."""
        text: list[str] = []
        while len(text) < len(lines):
            at = len(text)
            if opening(lines[at]):
                end = skip_fence(self._file, first + at, lines, at)
                text.append(lines[at])
                text += (grammar.unescape(line, fenced=True) for line in lines[at + 1 : end])
                text.append(lines[end])
            else:
                if at:
                    refuse_mistakes(self._file, first + at, lines[at])
                text.append(grammar.unescape(lines[at]))
        return text

    # Tasks.

    def _task(self, index: int) -> int:
        line = self._lines[index]
        text = line.strip()
        if text and not text.startswith("-"):
            return self._read_stray_line(index, stay=not line.startswith("##"))
        if not text or grammar.is_rule(text):
            return index + 1
        indent = len(line) - len(line.lstrip())
        stop = self._end_of_task(index + 1, indent)
        task = read_issue(self._file, index, text[1:].strip(), column=indent + 2)
        width = indent + len(INDENT)
        inner = " " * width
        body = [
            line[width:] if line.startswith(inner) else dedented(line, width)
            for line in self._lines[index + 1 : stop]
        ]
        _SectionReader(self._file, task, body, 0, offset=index + 1, in_task=True).read()
        if task.title:
            self._issue.tasks.append(task)
        elif not task.is_bare():
            self._file.fail(index, "a task needs a title; write - Title", column=indent + 1)
        return stop

    def _end_of_task(self, start: int, indent: int) -> int:
        inner = " " * (indent + len(INDENT))
        for index in range(start, len(self._lines)):
            line = self._lines[index]
            if line.startswith(inner):  # no next task, nor a heading
                continue
            text = line.lstrip()
            if line.startswith((INDENT, "\t")):
                # The next task is indented only if this one is.
                if text.startswith("-") and len(line) - len(text) <= indent:
                    return index
            elif text.startswith(("-", "##")) or line.startswith(grammar.TICKET):
                return index
        return len(self._lines)


def _continues_criterion(item: Sequence[str], line: str) -> bool:
    """Return whether a line continues a criterion: by its indent, or as the next line of prose."""
    if line.startswith((INDENT, "\t")):
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
    _refuse_conflicts(file)
    first = index = _skip_preamble(file)
    issues, spans = [], []
    while index < len(file.lines):
        issue, stop = _read_ticket(file, index)
        issues.append(issue)
        spans.append(_span(file, index, stop))
        index = stop
    _refuse_duplicates(file, issues)
    return model.TicketFile(
        text=text,
        preamble=text[file.start_of(0) : file.start_of(first)],
        tickets=tuple(issue.ticket() for issue in issues),
        spans=tuple(spans),
    )


def _refuse_conflicts(file: SourceLines) -> None:
    if "<<<<<<<" not in file.text and ">>>>>>>" not in file.text:
        return
    for index, line in enumerate(file.lines):
        if CONFLICT.match(line):
            file.fail(
                index,
                "this file holds a git conflict; resolve it, or put a backslash before the "
                "marker if it is text",
            )


def _skip_preamble(file: SourceLines) -> int:
    index = 0
    while index < len(file.lines):
        line = file.lines[index]
        if MAY_BE_SPECIAL.match(line):
            if line.startswith(TICKET):
                break
            refuse_mistakes(file, index, line)
            if opening(line):
                index = skip_fence(file, index, file.lines, index)
        index += 1
    return index


def _read_ticket(file: SourceLines, index: int) -> tuple[ParsedIssue, int]:
    rest = file.lines[index][len(TICKET) :]
    issue = read_issue(file, index, rest.strip(), column=len(TICKET) + 1)
    if not issue.title:
        column = len(file.lines[index]) + 1
        file.fail(index, "a ticket needs a title; write # TICKET: Title", column=column)
    return issue, _SectionReader(file, issue, file.lines, index + 1).read()


def _span(file: SourceLines, start: int, stop: int) -> model.TicketSpan:
    while not file.lines[stop - 1].strip():
        stop -= 1
    return model.TicketSpan(file.start_of(start), file.start_of(stop))


def _refuse_duplicates(file: SourceLines, issues: list[ParsedIssue]) -> None:
    seen: dict[str, int] = {}
    for issue in [issue for top in issues for issue in (top, *top.tasks)]:
        if issue.key is None:
            continue
        if issue.key in seen:
            file.fail(
                issue.index,
                f"{issue.key} is already on line {seen[issue.key]}; remove one of the two",
                column=file.lines[issue.index].index("[") + 1,
            )
        seen[issue.key] = issue.index + 1
