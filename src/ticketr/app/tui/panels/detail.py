"""Draws an issue: its fields as a sheet, its texts rendered. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ticketr.app.tickets import Comment, Ticket
from ticketr.app.tui.markdown import render_markdown
from ticketr.app.tui.panels.frame import status_mark
from ticketr.app.tui.sheet import DetailLine, IssueSheet, comment_heading
from ticketr.app.tui.styled import Line, Span, cells as cells_of, tint_mark, wrap_line
from ticketr.text import clean, clip, fit, width, wrap

#: From this width of the panel on, the fields are in two columns.
MIN_TWO_COLUMN_WIDTH = 44
#: The fields that are read first, in this order; labels and the like come last, since they are long.
_FIELD_ORDER = (
    "status",
    "priority",
    "type",
    "points",
    "story points",
    "assignee",
    "sprint",
    "reporter",
)
#: How many of the next fields may be beside a field.
MAX_FIELDS_TRIED_BESIDE = 3
_FIELDS_SHOWN_LAST = frozenset(("labels", "components", "fix versions"))
#: The cells for a key at the end of a line, and what it does.
KEY_HINT_CELLS = 13
#: The least cells for the name of a field; a wide panel has more.
MIN_FIELD_NAME_CELLS = 11
#: The cells that the longest name of Jira's own fields takes, "Story Points".
LONGEST_JIRA_FIELD_NAME_CELLS = 14
#: The most cells of a line; longer ones are hard to read.
MAX_WRAP_CELLS = 120


def detail_lines(sheet: IssueSheet, cells: int) -> tuple[DetailLine, ...]:
    """Return the lines of an issue, wrapped to a panel; for a worker thread.

    Args:
        sheet: The issue.
        cells: The width of the panel.
    """
    room = max(2, min(cells - 2, MAX_WRAP_CELLS))
    if sheet.error:
        return tuple(DetailLine((Span(text),), sheet.line) for text in wrap(sheet.error, room))
    title = tuple(
        DetailLine(pair, sheet.line) for pair in wrap_line((Span(sheet.title, ("bold",)),), room)
    )
    lines = (*title, *_clash_lines(sheet, room), DetailLine(()), *_field_lines(sheet, room))
    texts = _text_and_comment_lines(sheet.issue, room)
    return (*lines, *texts, *_task_lines(sheet.issue.tasks, room))


def subtask_line_index(sheet: IssueSheet, lines: Sequence[DetailLine], index: int) -> int:
    """Return the index of the line of a sub-task of some index; -1 for none.

    The sub-tasks are at the end.
    """
    return len(lines) - len(sheet.issue.tasks) + index if index >= 0 else -1


def _clash_lines(sheet: IssueSheet, room: int) -> list[DetailLine]:
    if not sheet.clashing_parts:
        return []
    words = (tint_mark("!"), Span(f" both sides changed {', '.join(sheet.clashing_parts)}"))
    lines = wrap_line(words, room, rest="  ")
    if cells_of(lines[-1]) > room - KEY_HINT_CELLS:
        lines.append(())
    last = DetailLine(lines.pop(), sheet.line, has_resolve_hint=True)
    return [*(DetailLine(line, sheet.line) for line in lines), last]


def _field_lines(sheet: IssueSheet, room: int) -> list[DetailLine]:
    fields = [(clean(name), clean(value)) for name, value in sheet.issue.fields.items()]
    longest = max((width(name) for name, _ in fields), default=0) + 2
    name_cells = max(
        MIN_FIELD_NAME_CELLS,
        min(longest, max(room // 6, min(room // 2, LONGEST_JIRA_FIELD_NAME_CELLS))),
    )
    edits = {edit.part_name: edit for edit in sheet.edits}
    parts: list[Line] = []
    for name, value in sorted(fields, key=_field_rank):
        shown: Line = (Span(value or "–"),)
        if name.casefold() == "status":
            shown = (tint_mark(status_mark(value)), Span(f" {value}"))
        edit = edits.get(name)
        if edit is not None:
            before, after = clean(edit.before) or "–", clean(edit.after) or "–"
            shown = (tint_mark("*"), Span(f"{before}→{after}"))
        parts.append((Span(fit(clip(name, name_cells - 1), name_cells), ("dim",)), *shown))
    if not parts:
        return []
    if room < MIN_TWO_COLUMN_WIDTH:
        lines = [wrap_line(part, room, rest=" " * name_cells) for part in parts]
        return [*(DetailLine(pair) for wrapped in lines for pair in wrapped), DetailLine(())]
    return [*_arrange_in_two_columns(parts, room, name_cells), DetailLine(())]


def _field_rank(field: tuple[str, str]) -> int:
    """Return the place of a field in the sheet; others follow in the order of the file."""
    name = field[0].casefold()
    return (
        _FIELD_ORDER.index(name)
        if name in _FIELD_ORDER
        else len(_FIELD_ORDER) + (name in _FIELDS_SHOWN_LAST)
    )


def _arrange_in_two_columns(parts: list[Line], room: int, name_cells: int) -> list[DetailLine]:
    """Put short fields side by side; a long one has a line of its own."""
    sizes = [cells_of(part) + 1 for part in parts]
    half = max(room // 2, *(size for size in sizes if size <= room * 3 // 5), 0)
    lines: list[DetailLine] = []
    remaining = list(parts)
    while remaining:
        part = remaining.pop(0)
        if cells_of(part) >= half:
            lines += map(DetailLine, wrap_line(part, room, rest=" " * name_cells))
            continue
        # One of the next fields that fits may come up, so that no column stays empty.
        fitting = (
            at
            for at, candidate in enumerate(remaining[:MAX_FIELDS_TRIED_BESIDE])
            if cells_of(candidate) <= room - half
        )
        beside = next(fitting, None)
        if beside is not None:
            part = (*part, Span(" " * (half - cells_of(part))), *remaining.pop(beside))
        lines.append(DetailLine(part))
    return lines


def _text_and_comment_lines(issue: Ticket, room: int) -> Iterator[DetailLine]:
    places = issue.line_numbers
    for rendered in render_markdown(issue.description, room):
        yield DetailLine(rendered.line, places.of_description(rendered.source_line + 1))
    if issue.acceptance_criteria:
        yield from (DetailLine(()), DetailLine((Span("Acceptance criteria", ("bold",)),)))
    for number, text in enumerate(issue.acceptance_criteria):
        prefix = Span("• ")
        for rendered in render_markdown(text, room - 2):
            line = places.of_criterion(number, rendered.source_line + 1)
            yield DetailLine((prefix, *rendered.line), line)
            prefix = Span("  ")
    for name, text in issue.rich_texts.items():
        yield DetailLine(())
        for part in wrap_line((Span(clean(name), ("bold",)),), room):
            yield DetailLine(part, places.of_text(name, 0))
        for rendered in render_markdown(text, room):
            yield DetailLine(rendered.line, places.of_text(name, rendered.source_line + 1))
    yield from _comment_lines(issue.comments, room)


def _comment_lines(comments: Sequence[Comment], room: int) -> Iterator[DetailLine]:
    if not comments:
        return
    yield DetailLine(())
    yield DetailLine((Span(f"Comments  {len(comments)}", ("bold",)),))
    for at, comment in enumerate(comments):
        if at:
            yield DetailLine(())
        words = comment_heading(comment)
        head = (Span(words, ("dim",)),) if words else (tint_mark("*"), Span(" not sent yet"))
        yield from (DetailLine(pair, comment.text_line) for pair in wrap_line(head, room))
        for rendered in render_markdown(comment.text, room - 2):
            line = comment.text_line + rendered.source_line if comment.text_line else 0
            yield DetailLine((Span("  "), *rendered.line), line)


def _task_lines(tasks: Sequence[Ticket], room: int) -> Iterator[DetailLine]:
    if tasks:
        yield DetailLine(())
        yield DetailLine((Span(f"Sub-tasks  {len(tasks)}", ("bold",)),))
    for task in tasks:
        text = clip(f" {task.key or 'draft'}  {clean(task.title)}", max(1, room - 2))
        status = clean(task.fields.get("Status", ""))
        yield DetailLine((tint_mark(status_mark(status)), Span(text)))
