"""From tickets to the text of a file.

Rendering is deterministic, and what it writes is read back as the same tickets, whatever is in
them. Text that is not a ticket's is not touched by ``replace`` and ``append``.
"""

from __future__ import annotations

import re
from dataclasses import replace as changed
from typing import TYPE_CHECKING, Protocol

from ticketr.tickets.errors import DuplicateKey
from ticketr.tickets.fences import closing, opening
from ticketr.tickets.grammar import (
    CONFLICT,
    CRITERIA,
    DESCRIPTION,
    FIELDS,
    MARKED,
    TASKS,
    TICKET,
    TICKETISH,
    escape,
    escape_item,
    insert_backslash,
    write_name,
    write_title,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ticketr.tickets.model import Ticket, TicketFile

_INDENT = "  "
_LINE_END = re.compile("\r\n|\n|\r")


def render(tickets: Iterable[Ticket], *, preamble: str = "") -> str:
    """Write a whole file.

    Args:
        tickets: What the file is to hold.
        preamble: Text before the first ticket. A line of it that would be read as something else
            is escaped.

    Returns:
        The text, with LF as line end and one line end at its end; empty for nothing at all.

    Raises:
        DuplicateKey: If two of the tickets are the same issue.
    """
    tickets = tuple(tickets)
    _refuse_duplicates(tickets)
    parts = [_preamble(preamble)] if preamble.strip() else []
    return "\n".join([*parts, *map(render_ticket, tickets)])


def render_ticket(ticket: Ticket) -> str:
    """Write one ticket with its tasks; the text ends in one line end."""
    lines = [f"{TICKET} {write_title(ticket.key, ticket.title)}", ""]
    _sections(ticket, lines)
    if ticket.tasks:
        lines.append(f"## {TASKS}")
        for task in ticket.tasks:
            _task(task, lines)
    while not lines[-1]:
        lines.pop()
    lines.append("")
    return "\n".join(lines)


def replace(file: TicketFile, index: int, ticket: Ticket) -> str:
    """Write a file anew with one of its tickets changed.

    Everything else stays byte for byte, and the ticket gets the line ends that it had. Comments
    among its fields stay, unless the new ticket brings remarks of its own.

    Args:
        file: The file as it was parsed.
        index: Which of ``file.tickets`` to change.
        ticket: What to write in its place.

    Raises:
        DuplicateKey: If another ticket of the file is the same issue.
    """
    _refuse_duplicates((*file.tickets[:index], ticket, *file.tickets[index + 1 :]))
    span = file.spans[index]
    text = render_ticket(_keep_remarks(file.tickets[index], ticket))
    if file.text[span.end - 1] not in "\r\n":
        text = text.removesuffix("\n")
    text = text.replace("\n", _line_end(file.text, span.start))
    return file.text[: span.start] + text + file.text[span.end :]


def append(file: TicketFile, ticket: Ticket) -> str:
    """Write a file anew with one more ticket at its end.

    Everything before it stays byte for byte, but for a missing last line end.

    Raises:
        DuplicateKey: If the file has that issue already.
    """
    _refuse_duplicates((*file.tickets, ticket))
    end = _line_end(file.text, 0)
    text = file.text
    if text.strip("\ufeff"):
        ends = _LINE_END.findall(text[len(text.rstrip("\r\n")) :])
        text += end * (2 - len(ends[:2]))
    return text + render_ticket(ticket).replace("\n", end)


def _refuse_duplicates(tickets: Iterable[Ticket]) -> None:
    seen: set[str] = set()
    for ticket in tickets:
        for key in ticket.keys():  # noqa: SIM118 - a ticket is no mapping
            if key in seen:
                raise DuplicateKey(key)
            seen.add(key)


def _line_end(text: str, start: int) -> str:
    """Give the line end in use at a place in a text."""
    found = _LINE_END.search(text, start) or _LINE_END.search(text)
    return "\n" if found is None else found[0]


def _preamble(text: str) -> str:
    lines = _LINE_END.split(text.rstrip())
    return "\n".join([*_text(lines, _escape_preamble), ""])


def _escape_preamble(line: str, *, fenced: bool = False) -> str:
    """Escape once what must not stand before the first ticket; nobody takes it off again."""
    wrong = CONFLICT.match(line) or (not fenced and TICKETISH.match(line))
    return insert_backslash(line) if wrong else line


def _sections(issue: Ticket, lines: list[str]) -> None:
    if issue.description:
        lines.append(f"## {DESCRIPTION}")
        lines += _text(issue.description.split("\n"))
        lines.append("")
    if issue.fields or issue.remarks:
        lines.append(f"## {FIELDS}")
        lines += issue.remarks
        for name, value in issue.fields.items():
            _field(name, value, lines)
        lines.append("")
    if issue.acceptance_criteria:
        lines.append(f"## {CRITERIA}")
        for criterion in issue.acceptance_criteria:
            _criterion(criterion, lines)
        lines.append("")


def _task(task: Ticket, lines: list[str]) -> None:
    if lines[-1].startswith(_INDENT):
        lines.append("")
    lines.append(f"- {write_title(task.key, task.title)}")
    body: list[str] = []
    _sections(task, body)
    lines += map(_indented, body[:-1])


def _indented(line: str) -> str:
    return _INDENT + line if line else ""


class _Escape(Protocol):
    def __call__(self, line: str, *, fenced: bool = False) -> str: ...


def _text(lines: Sequence[str], escape_line: _Escape = escape) -> Iterator[str]:
    """Escape what would not be read as text.

    A code block needs next to no escapes inside. A block that is not closed is no code block for
    us: it and all that might close it by chance are escaped.
    """
    end = -1
    fences = True
    for index, line in enumerate(lines):
        if index <= end:
            yield escape_line(line, fenced=True) if index < end else line
        elif not _may_mean(line):
            yield line
        elif not opening(line):
            yield escape_line(line)
        else:
            found = closing(lines, index) if fences else None
            fences = found is not None
            end = index if found is None else found
            yield line if fences else insert_backslash(line)


def _may_mean(line: str) -> bool:
    return MARKED.match(line) is not None or line.lstrip(" ").startswith(("<", ">"))


def _field(name: str, value: str, lines: list[str]) -> None:
    name = write_name(name)
    if "\n" in value or value == "|":
        lines.append(f"{name}: |")
        lines += [_indented(escape(line)) for line in value.split("\n")]
    else:
        lines.append(f"{name}: {value}" if value else f"{name}:")


def _criterion(criterion: str, lines: list[str]) -> None:
    first, *rest = criterion.split("\n")
    lines.append(f"- {first}")
    lines += [_indented(escape_item(line)) for line in rest]


def _keep_remarks(old: Ticket, new: Ticket) -> Ticket:
    """Carry the remarks of a ticket over to what replaces it, task by task."""
    known = {task.key or task.title: task for task in old.tasks}
    tasks = tuple(
        _keep_remarks(known[name], task) if (name := task.key or task.title) in known else task
        for task in new.tasks
    )
    return changed(new, tasks=tasks, remarks=new.remarks or old.remarks)
