"""Changes the lines of fields in a file, and no other line where that is possible. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from ticketr.app.tickets import grammar
from ticketr.app.tickets.errors import TicketSyntaxError
from ticketr.app.tickets.model import Ticket, TicketFile
from ticketr.app.tickets.parser import parse
from ticketr.app.tickets.renderer import rewrite

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")


def field_name(issue: Ticket, name: str) -> str:
    """Return how an issue writes the name of a field; the name itself if it has no such field."""
    return next((field for field in issue.fields if field.casefold() == name.casefold()), name)


def set_fields(
    file: TicketFile, changes: Mapping[tuple[int, int | None], Mapping[str, str]]
) -> TicketFile:
    """Return a file with other texts in some fields of some issues.

    Only the lines of these fields change. A new field follows the others. Where that
    is not possible, as with a text of several lines, the whole ticket is rendered.

    Args:
        file: The file as it was parsed.
        changes: The new text of each field, by its name in any case of letters; for each issue by
            the index of the ticket, and that of the sub-task or None for the ticket itself.
    """
    lines = _LINE.findall(file.text)
    wanted = dict(enumerate(file.tickets))
    for index, task in sorted(changes, key=lambda place: (place[0], place[1] or -1), reverse=True):
        issue = _issue(file.tickets[index], task)
        texts = {field_name(issue, name): text for name, text in changes[index, task].items()}
        wanted[index] = _with_fields(wanted[index], task, {**issue.fields, **texts})
        _set_lines(lines, issue, texts)
    if tuple(wanted.values()) == file.tickets:
        return file
    try:
        edited = parse("".join(lines))
    except TicketSyntaxError:
        edited = file
    if len(edited.tickets) != len(file.tickets):
        edited = file
    whole = {at: ticket for at, ticket in wanted.items() if edited.tickets[at] != ticket}
    return parse(rewrite(edited, whole).text) if whole else edited


def _issue(ticket: Ticket, task: int | None) -> Ticket:
    return ticket if task is None else ticket.tasks[task]


def _with_fields(ticket: Ticket, task: int | None, fields: Mapping[str, str]) -> Ticket:
    if task is None:
        return replace(ticket, fields=fields)
    changed = replace(ticket.tasks[task], fields=fields)
    return replace(ticket, tasks=(*ticket.tasks[:task], changed, *ticket.tasks[task + 1 :]))


def _set_lines(lines: list[str], issue: Ticket, texts: dict[str, str]) -> None:
    """Change the lines of some fields of an issue, in place, as far as each has one line."""
    known = [line for field, line in issue.places.fields if "\n" not in issue.fields[field]]
    last = max(known, default=0)
    for name, text in reversed(texts.items()):
        at, old = issue.places.of_field(name) - 1, issue.fields.get(name)
        if old is not None and lines[at].partition(":")[2].strip() == old != text:
            lines[at] = _with_value(lines[at], text)
        elif old is None and known:
            new = _line_like(lines[last - 1], name, text)
            if not lines[last - 1].endswith(("\n", "\r")):
                lines[last - 1] += "\n"
            lines.insert(last, new)


def _with_value(line: str, text: str) -> str:
    start, _, old = line.partition(":")
    return _field_line(start, text, _line_end(old))


def _line_like(line: str, name: str, text: str) -> str:
    """Return the line of a field with the indent and the line end of another one."""
    indent = line[: len(line) - len(line.lstrip())]
    return _field_line(f"{indent}{grammar.write_name(name)}", text, _line_end(line))


def _field_line(start: str, text: str, end: str) -> str:
    return f"{start}:{f' {text}' if text else ''}{end}"


def _line_end(line: str) -> str:
    """Return the line end of a line; empty if it has none."""
    return line[len(line.rstrip("\r\n")) :]
