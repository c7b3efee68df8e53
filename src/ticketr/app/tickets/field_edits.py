"""Changes the lines of fields in a file, and no other line where that is possible. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
    for index, task in changes:
        issue = _issue(file.tickets[index], task)
        texts = {
            field_name(issue, name): grammar.stripped(text)
            for name, text in changes[index, task].items()
        }
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


def _set_lines(lines: list[str], issue: Ticket, texts: Mapping[str, str]) -> None:
    """Change the lines of some fields of an issue, as far as each has one line.

    Args:
        lines: The lines of the file, changed in place. A new line is added to the line before it,
            so that each line keeps its index.
        issue: The issue as the file says it.
        texts: The new texts.
    """
    indexes = {
        name: number - 1
        for name, number in issue.places.fields
        if lines[number - 1].partition(":")[2].strip() == issue.fields[name]
    }
    added: list[str] = []
    for name, text in texts.items():
        if "\n" in text or text == "|":  # it is written as a block
            continue
        if name not in issue.fields:
            added.append(_field_line(grammar.write_name(name), text))
        elif name in indexes and issue.fields[name] != text:
            start, _, old = lines[indexes[name]].partition(":")
            lines[indexes[name]] = f"{_field_line(start, text)}{_line_end(old)}"
    if added and indexes:
        last = max(indexes.values())
        lines[last] = _with_lines(lines[last], added)


def _with_lines(line: str, added: Iterable[str]) -> str:
    """Return a line and others behind it, with its indent and its line end."""
    end = _line_end(line)
    indent = line[: len(line) - len(line.lstrip())]
    new = [f"{indent}{text}" for text in added]
    return (end or "\n").join((line.removesuffix(end), *new)) + end


def _field_line(name: str, text: str) -> str:
    return f"{name}:{f' {text}' if text else ''}"


def _line_end(line: str) -> str:
    """Return the line end of a line; empty if it has none."""
    return line[len(line.rstrip("\r\n")) :]
