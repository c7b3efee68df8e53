"""Parses the text of a file into tickets.

This module finds the start and end of each ticket, and refuses what a file must not contain. The
module ``sections`` parses the content of a ticket.
"""

from __future__ import annotations

from ticketr.app.tickets.grammar import CONFLICT, MAY_BE_SPECIAL, TICKET, opening
from ticketr.app.tickets.model import TicketFile, TicketSpan
from ticketr.app.tickets.sections import ParsedIssue, SectionReader, read_issue
from ticketr.app.tickets.source_lines import SourceLines, refuse_mistakes, skip_fence


def parse(text: str, *, source: str = "<text>") -> TicketFile:
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
    read = SourceLines(text, source)
    _refuse_conflicts(read)
    first = index = _skip_preamble(read)
    issues, spans = [], []
    while index < len(read.lines):
        issue, stop = _read_ticket(read, index)
        issues.append(issue)
        spans.append(_span(read, index, stop))
        index = stop
    _refuse_duplicates(read, issues)
    return TicketFile(
        text=text,
        preamble=text[read.start_of(0) : read.start_of(first)],
        tickets=tuple(issue.ticket() for issue in issues),
        spans=tuple(spans),
    )


def _refuse_conflicts(read: SourceLines) -> None:
    if "<<<<<<<" not in read.text and ">>>>>>>" not in read.text:
        return
    for index, line in enumerate(read.lines):
        if CONFLICT.match(line):
            read.fail(
                index,
                "this file holds a git conflict; resolve it, or put a backslash before the "
                "marker if it is text",
            )


def _skip_preamble(read: SourceLines) -> int:
    index = 0
    while index < len(read.lines):
        line = read.lines[index]
        if MAY_BE_SPECIAL.match(line):
            if line.startswith(TICKET):
                break
            refuse_mistakes(read, index, line)
            if opening(line):
                index = skip_fence(read, index, read.lines, index)
        index += 1
    return index


def _read_ticket(read: SourceLines, index: int) -> tuple[ParsedIssue, int]:
    rest = read.lines[index][len(TICKET) :]
    issue = read_issue(read, index, rest.strip(), column=len(TICKET) + 1)
    if not issue.title:
        column = len(read.lines[index]) + 1
        read.fail(index, "a ticket needs a title; write # TICKET: Title", column=column)
    return issue, SectionReader(read, issue, read.lines, index + 1).read()


def _span(read: SourceLines, start: int, stop: int) -> TicketSpan:
    while not read.lines[stop - 1].strip():
        stop -= 1
    return TicketSpan(read.start_of(start), read.start_of(stop))


def _refuse_duplicates(read: SourceLines, issues: list[ParsedIssue]) -> None:
    seen: dict[str, int] = {}
    for issue in [issue for top in issues for issue in (top, *top.tasks)]:
        if issue.key is None:
            continue
        if issue.key in seen:
            read.fail(
                issue.index,
                f"{issue.key} is already on line {seen[issue.key]}; remove one of the two",
                column=read.lines[issue.index].index("[") + 1,
            )
        seen[issue.key] = issue.index + 1
