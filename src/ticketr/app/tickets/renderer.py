"""Renders tickets as the text of a file.

The result is deterministic, and the parser reads the same tickets back. ``rewrite`` leaves
text outside of tickets as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace as changed
from typing import TYPE_CHECKING, NamedTuple

from ticketr.app.tickets import grammar
from ticketr.app.tickets.errors import UnwritableTicket
from ticketr.app.tickets.grammar import (
    COMMENTS_HEADING_PATTERN,
    COMMENTS_SECTION,
    MAY_BE_SPECIAL,
    OPENING_FENCE,
    closing_fence,
    has_comments_below,
)
from ticketr.app.tickets.model import TicketFile

if TYPE_CHECKING:
    from ticketr.app.tickets.model import Comment, Ticket

_INDENT = "  "
_LINE_END_PATTERN = re.compile("\r\n|\n|\r")


def render(tickets: Iterable[Ticket]) -> str:
    """Return the text of a whole file.

    Args:
        tickets: The tickets of the file.

    Returns:
        The text, with LF as line end and one line end at its end; empty without any content.

    Raises:
        UnwritableTicket: Two of the tickets have the same key.
    """
    tickets = tuple(tickets)
    _refuse_duplicate_keys(tickets)
    return "\n".join(map(render_ticket, tickets))


def render_ticket(ticket: Ticket) -> str:
    """Return the text of one ticket with its tasks; it ends in one line end."""
    lines = [f"{grammar.TICKET_PREFIX} {grammar.write_key_and_title(ticket.key, ticket.title)}", ""]
    _add_sections(ticket, lines)
    if ticket.tasks:
        lines.append(f"## {grammar.TASKS_SECTION}")
        for task in ticket.tasks:
            _add_task(task, lines)
    return "\n".join(lines).rstrip("\n") + "\n"


def rewrite(
    file: TicketFile, changes: Mapping[int, Ticket], added: Sequence[tuple[Ticket, str]] = ()
) -> TicketFile:
    """Return a file with some of its tickets changed, and others added at its end.

    All other text stays byte for byte, except that a missing last line end is added before an
    added ticket. Each ticket keeps its line ends, and its remarks unless the new ticket has some.

    Args:
        file: The file as it was parsed.
        changes: The new tickets, by their index in ``file.tickets``.
        added: The tickets to add, each with its text as `render_ticket` returns it.

    Returns:
        The file as if its text was parsed again, except for line numbers.

    Raises:
        UnwritableTicket: Two of the tickets would have the same key.
    """
    parts = list(_render_changed(file, changes))
    rest = file.text[file.text_slices[-1].stop :] if parts else file.text
    for ticket, text in added:
        end = _line_end_style(file.text, 0)
        last = (parts[-1].text if parts else "") + rest
        if last.strip("\ufeff"):
            ends = _LINE_END_PATTERN.findall(last[len(last.rstrip("\r\n")) :])
            rest += end * (2 - len(ends[:2]))
        parts.append(_TicketWithText(rest, ticket, text.replace("\n", end)))
        rest = ""
    tickets = tuple([part.ticket for part in parts])
    _refuse_duplicate_keys(tickets)
    spans, at = [], 0
    for before, _, text in parts:
        start = at + len(before)
        at = start + len(text)
        spans.append(slice(start, at))
    pieces = [f"{before}{text}" for before, _, text in parts]
    return changed(file, text="".join([*pieces, rest]), tickets=tickets, text_slices=tuple(spans))


class _TicketWithText(NamedTuple):
    text_before: str
    ticket: Ticket
    text: str


def _render_changed(file: TicketFile, changes: Mapping[int, Ticket]) -> Iterator[_TicketWithText]:
    """Yield each ticket of a file, with its text and what is before it; changed ones are rendered."""
    read = 0
    for index, (ticket, span) in enumerate(zip(file.tickets, file.text_slices, strict=True)):
        before, text = file.text[read : span.start], file.text[span]
        read = span.stop
        if index not in changes:
            yield _TicketWithText(before, ticket, text)
            continue
        new = _keep_remarks(ticket, changes[index])
        rendered = render_ticket(new)
        if text[-1] not in "\r\n":
            rendered = rendered.removesuffix("\n")
        if "\r" in file.text:
            rendered = rendered.replace("\n", _line_end_style(file.text, span.start))
        yield _TicketWithText(before, new, rendered)


def _refuse_duplicate_keys(tickets: Iterable[Ticket]) -> None:
    seen: set[str] = set()
    for ticket in tickets:
        for key in ticket.keys():  # noqa: SIM118 - a ticket is not a mapping
            if key in seen:
                raise UnwritableTicket("a key would be in one file twice", key)
            seen.add(key)


def _line_end_style(text: str, start: int) -> str:
    """Return the line end that a text uses at an offset."""
    match = _LINE_END_PATTERN.search(text, start) or _LINE_END_PATTERN.search(text)
    return "\n" if match is None else match[0]


def _add_sections(issue: Ticket, lines: list[str]) -> None:
    if issue.description:
        lines.append(f"## {grammar.DESCRIPTION_SECTION}")
        lines += _escape_text(issue.description.split("\n"), may_precede_comments=True)
        lines.append("")
    if issue.fields or issue.non_field_lines:
        lines.append(f"## {grammar.FIELDS_SECTION}")
        lines += issue.non_field_lines
        for name, value in issue.fields.items():
            written_name = grammar.write_field_name(name)
            if "\n" in value or value == "|":
                lines.append(f"{written_name}: |")
                lines += [_indented(grammar.escape(line)) for line in value.split("\n")]
            else:
                lines.append(f"{written_name}: {value}" if value else f"{written_name}:")
        lines.append("")
    if issue.acceptance_criteria:
        lines.append(f"## {grammar.CRITERIA_SECTION}")
        for criterion in issue.acceptance_criteria:
            first, *rest = criterion.split("\n")
            lines.append(f"- {first}")
            lines += [_indented(grammar.escape_criterion_continuation(line)) for line in rest]
        lines.append("")
    for name, text in issue.rich_texts.items():
        lines.append(f"## {grammar.RICH_TEXT_SECTION}: {name}")
        lines += _escape_text(text.split("\n"), may_precede_comments=True) if text else ()
        lines.append("")
    if issue.comments:
        lines.append(f"## {COMMENTS_SECTION}")
        for comment in issue.comments:
            _add_comment(comment, lines)
            lines.append("")


def _add_task(task: Ticket, lines: list[str]) -> None:
    if lines[-1].startswith(_INDENT):
        lines.append("")
    lines.append(f"- {grammar.write_key_and_title(task.key, task.title)}")
    body: list[str] = []
    _add_sections(task, body)
    lines += map(_indented, body[:-1])


def _indented(line: str) -> str:
    return _INDENT + line if line else ""


def _escape_text(lines: Sequence[str], *, may_precede_comments: bool = False) -> Iterator[str]:
    """Yield lines of text, escaped where they would have a meaning.

    Lines in a code block need nearly no escapes. If a block is not closed, its opening line and
    every later fence are escaped. With ``may_precede_comments``, the text may be followed by comments, so
    that a heading of comments in it is escaped.
    """
    end = -1
    fences = True
    for index, line in enumerate(lines):
        if index <= end:
            yield grammar.escape(line, fenced=True) if index < end else line
        elif not (MAY_BE_SPECIAL.match(line) or line.lstrip(" ").startswith(("<", ">"))):
            yield line
        elif (
            may_precede_comments
            and COMMENTS_HEADING_PATTERN.match(line)
            and has_comments_below(lines, index)
        ):
            yield grammar.insert_backslash(line)
        elif not OPENING_FENCE.match(line):
            yield grammar.escape(line)
        else:
            closing_index = closing_fence(lines, index) if fences else None
            fences = closing_index is not None
            end = index if closing_index is None else closing_index
            yield line if fences else grammar.insert_backslash(line)


def _add_comment(comment: Comment, lines: list[str]) -> None:
    text = list(_escape_text(comment.text.split("\n"))) if comment.text else []
    if comment.is_new:
        lines.append(f"- new: {text[0]}")
        del text[0]
    else:
        when = f", {comment.time}" if comment.time else ""
        lines.append(f"- [{comment.id}] {comment.author}{when}:")
    lines += map(_indented, text)


def _keep_remarks(old: Ticket, new: Ticket) -> Ticket:
    """Return the new ticket with the remarks of the old one, also for each task."""
    known = {task.key or task.title: task for task in old.tasks}
    tasks = tuple(
        _keep_remarks(known[name], task) if (name := task.key or task.title) in known else task
        for task in new.tasks
    )
    return changed(new, tasks=tasks, non_field_lines=new.non_field_lines or old.non_field_lines)
