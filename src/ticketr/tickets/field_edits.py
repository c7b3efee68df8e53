"""Changes the texts of fields in a file, and nothing else of it where the file allows that. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ticketr.tickets import grammar
from ticketr.tickets.errors import TicketSyntaxError
from ticketr.tickets.parser import parse
from ticketr.tickets.renderer import rewrite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.tickets.model import Ticket, TicketFile

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")


def field_name(issue: Ticket, name: str) -> str:
    """Return the name that an issue has for a field, in any case of letters; else the name itself."""
    return next((each for each in issue.fields if each.casefold() == name.casefold()), name)


def set_fields(
    file: TicketFile, index: int, texts: Mapping[str, str], *, task: int | None = None
) -> TicketFile:
    """Return a file with other texts in some fields of one issue.

    Only the lines of these fields change. A field that is new stands behind the others. Where that
    is not possible, as with a text of several lines, the ticket is rendered anew.

    Args:
        file: The file as it was parsed.
        index: The index of the ticket.
        texts: The new text of each field, by its name in any case of letters.
        task: The index of the sub-task; None for the ticket itself.
    """
    ticket = file.tickets[index]
    issue = ticket if task is None else ticket.tasks[task]
    texts = {field_name(issue, name): text for name, text in texts.items()}
    wanted = _with_fields(ticket, task, {**issue.fields, **texts})
    if wanted == ticket:
        return file
    tickets = (*file.tickets[:index], wanted, *file.tickets[index + 1 :])
    edited: TicketFile | None = file
    for name, text in texts.items():
        if edited is not None:
            edited = _with_line(edited, index, task, name, text)
    if edited is not None and edited.tickets == tickets:
        return edited
    return rewrite(file, {index: wanted})


def _with_fields(ticket: Ticket, task: int | None, fields: Mapping[str, str]) -> Ticket:
    if task is None:
        return replace(ticket, fields=fields)
    changed = replace(ticket.tasks[task], fields=fields)
    return replace(ticket, tasks=(*ticket.tasks[:task], changed, *ticket.tasks[task + 1 :]))


def _with_line(
    file: TicketFile, index: int, task: int | None, name: str, text: str
) -> TicketFile | None:
    """Change the line of one field; None where that is not possible."""
    ticket = file.tickets[index]
    issue = ticket if task is None else ticket.tasks[task]
    old = issue.fields.get(name)
    if old == text:
        return file
    if "\n" in text or (old is not None and "\n" in old):
        return None
    lines = _LINE.findall(file.text)
    begin, end = _lines_of(file, index, task, len(lines))
    places = {
        found: at
        for at in range(begin, end)
        for found, value in issue.fields.items()
        if _is_line_of(lines[at], found, value)
    }
    if old is not None:
        at = places.get(name)
        if at is None:
            return None
        lines[at] = _with_value(lines[at], text)
    elif places:
        last = max(places.values())
        new = _like(lines[last], name, text)
        if not lines[last].endswith(("\n", "\r")):
            lines[last] += "\n"
        lines.insert(last + 1, new)
    else:
        return None
    try:
        return parse("".join(lines))
    except TicketSyntaxError:
        return None


def _lines_of(file: TicketFile, index: int, task: int | None, count: int) -> tuple[int, int]:
    """Return the index of the line behind an issue's heading, and of the next issue's line."""
    ticket = file.tickets[index]
    following = [each.line for each in file.tickets[index + 1 :]]
    heads = [ticket.line, *(each.line for each in ticket.tasks), *following[:1], count + 1]
    at = 0 if task is None else task + 1
    return heads[at], heads[at + 1] - 1


def _is_line_of(line: str, name: str, value: str) -> bool:
    found, colon, text = line.partition(":")
    return bool(colon) and found.strip() == name and text.strip() == value


def _with_value(line: str, text: str) -> str:
    start, _, old = line.partition(":")
    return _line(start, text, _end(old))


def _like(line: str, name: str, text: str) -> str:
    """Return the line of a field with the indent and the line end of another one."""
    indent = line[: len(line) - len(line.lstrip())]
    return _line(f"{indent}{grammar.write_name(name)}", text, _end(line))


def _line(start: str, text: str, end: str) -> str:
    return f"{start}:{f' {text}' if text else ''}{end}"


def _end(line: str) -> str:
    """Return the line end of a line; empty for the last one without one."""
    return line[len(line.rstrip("\r\n")) :]
