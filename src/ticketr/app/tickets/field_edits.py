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
    parts: dict[int, TicketFile] = {}
    for (index, task), texts in changes.items():
        span = file.spans[index]
        part = parts.get(index) or parse(file.text[span.start : span.end])
        parts[index] = _set_in_part(part, task, texts)
    pieces: list[str] = []
    end = 0
    for index, part in sorted(parts.items()):
        pieces += (file.text[end : file.spans[index].start], part.text)
        end = file.spans[index].end
    text = "".join((*pieces, file.text[end:]))
    if text == file.text:
        return file
    edited = parse(text)
    wanted = {index: part.tickets[0] for index, part in parts.items()}
    assert edited.tickets == tuple(wanted.get(at, ticket) for at, ticket in enumerate(file.tickets))
    return edited


def _set_in_part(part: TicketFile, task: int | None, texts: Mapping[str, str]) -> TicketFile:
    """Change fields of one issue; ``part`` is the text of its ticket alone."""
    (ticket,) = part.tickets
    issue = ticket if task is None else ticket.tasks[task]
    texts = {field_name(issue, name): text for name, text in texts.items()}
    wanted = _with_fields(ticket, task, {**issue.fields, **texts})
    if wanted == ticket:
        return part
    edited: TicketFile | None = part
    for name, text in texts.items():
        if edited is not None:
            edited = _with_line(edited, task, name, text)
    if edited is not None and edited.tickets == (wanted,):
        return edited
    return parse(rewrite(part, {0: wanted}).text)


def _with_fields(ticket: Ticket, task: int | None, fields: Mapping[str, str]) -> Ticket:
    if task is None:
        return replace(ticket, fields=fields)
    changed = replace(ticket.tasks[task], fields=fields)
    return replace(ticket, tasks=(*ticket.tasks[:task], changed, *ticket.tasks[task + 1 :]))


def _with_line(part: TicketFile, task: int | None, name: str, text: str) -> TicketFile | None:
    """Change the line of one field; None where that is not possible."""
    ticket = part.tickets[0]
    issue = ticket if task is None else ticket.tasks[task]
    old = issue.fields.get(name)
    if old == text:
        return part
    if "\n" in text or (old is not None and "\n" in old):
        return None
    lines = _LINE.findall(part.text)
    known = [line for field, line in issue.places.fields if "\n" not in issue.fields[field]]
    if old is not None:
        at = issue.places.of_field(name) - 1
        if lines[at].partition(":")[2].strip() != old:
            return None
        lines[at] = _with_value(lines[at], text)
    elif known:
        last = max(known) - 1
        new = _line_like(lines[last], name, text)
        if not lines[last].endswith(("\n", "\r")):
            lines[last] += "\n"
        lines.insert(last + 1, new)
    else:
        return None
    try:
        return parse("".join(lines))
    except TicketSyntaxError:
        return None


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
