"""Draws an issue: its fields as a sheet, its texts rendered. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.markdown import render_markdown
from ticketr.app.tui.panels.frame import (
    filled,
    find_matches,
    find_words,
    status_mark,
    title_rule,
    with_marks,
)
from ticketr.app.tui.sheet import DetailLine, Sheet, TaskLine, WrappedDetail
from ticketr.app.tui.styled import Line, Span, Theme, cells as cells_of, mark, wrap_line
from ticketr.text import clean, clip, fit, width, wrap

#: From this width of the panel on, the fields are in two columns.
TWO_COLUMNS = 44
#: The fields that are read first, in this order; labels and the like come last, since they are long.
_ORDER = ("status", "priority", "type", "points", "story points", "assignee", "sprint", "reporter")
#: How many of the next fields may be beside a field.
NEXT = 3
_WIDE_FIELDS = frozenset(("labels", "components", "fix versions"))
#: The cells for a key at the end of a line, and what it does.
KEY_CELLS = 13
#: The least cells for the name of a field; a wide panel has more.
LABEL_CELLS = 11
#: The cells that the longest name of Jira's own fields takes, "Story Points".
COMMON_LABEL = 14
#: The most cells of a line; longer ones are hard to read.
WIDEST = 120
#: The most characters of a text that is rendered as Markdown; a longer one is shown as the file
#: holds it, which is far quicker. Jira takes no description of more than 32,767 characters.
LONGEST_RENDERED = 40_000
#: How many characters a bracket counts for: each is tried as the beginning of a link.
BRACKET = 10
#: The most characters of an issue that are wrapped on Trio's thread, which takes some milliseconds.
SHORT = 1_000


def is_long(sheet: Sheet) -> bool:
    """Return whether an issue is too long to be wrapped between two keys."""
    return len(sheet.error) + sum(map(len, sheet.source)) > SHORT


def lines_without_pause(
    sheet: Sheet, cells: int, wrapped: WrappedDetail | None, *, as_source: bool
) -> tuple[DetailLine, ...]:
    """Return the lines of an issue without a pause.

    Args:
        sheet: The issue.
        cells: The width of the panel.
        wrapped: The lines of a long issue, if there are any; they may be for another width.
        as_source: Whether to show the lines of the file.
    """
    if not is_long(sheet):
        return detail_lines(sheet, cells, as_source=as_source)
    return () if wrapped is None else wrapped.lines


@lru_cache(maxsize=8)
def detail_lines(sheet: Sheet, cells: int, *, as_source: bool = False) -> tuple[DetailLine, ...]:
    """Return the lines of an issue, wrapped to a panel.

    Args:
        sheet: The issue.
        cells: The width of the panel.
        as_source: Whether to show the lines of the file instead.
    """
    room = max(2, min(cells - 2, WIDEST))
    if sheet.error:
        return tuple(DetailLine((Span(text),), sheet.line) for text in wrap(sheet.error, room))
    if as_source:
        return tuple(
            DetailLine((Span(part),), sheet.line + at if sheet.line else 0)
            for at, text in enumerate(sheet.source)
            for part in wrap(text, room)
        )
    title = tuple(
        DetailLine(pair, sheet.line) for pair in wrap_line((Span(sheet.title, ("bold",)),), room)
    )
    lines = (*title, *_clashes(sheet, room), DetailLine(()), *_fields(sheet, room))
    return (*lines, *_texts(sheet, room), *_tasks(sheet, room))


def draw_detail(
    sheet: Sheet | None,
    top: int,
    cells: int,
    height: int,
    theme: Theme,
    *,
    is_focused: bool,
    lines: Sequence[DetailLine] | None = None,
    task: int = -1,
    keys: KeyMap | None = None,
    search: str = "",
    match: int = -1,
    words: Sequence[str] = (),
) -> list[str]:
    """Return the rows of the open ticket's panel, its title first.

    Args:
        sheet: The issue; None where there is none.
        top: The index of the first line to show.
        cells: The width of the panel.
        height: The rows of the panel below its title.
        theme: Colours and characters.
        is_focused: Whether the panel has the focus.
        lines: Its lines; None for `detail_lines`.
        task: The index of the selected sub-task; -1 for none.
        keys: The keys, for hints; None for the usual ones.
        search: What is searched in it; empty for nothing.
        match: The index of the match that was gone to last.
        words: The folded words that are searched in the list.
    """
    if sheet is None:
        title = title_rule("3", "", cells, theme, is_focused=is_focused)
        return [title, *filled([], height, cells)]
    lines = detail_lines(sheet, cells) if lines is None else lines
    shown = lines[top : top + height]
    if search:
        shown = _shown_lines(lines, top, height, search, match)
    elif words:
        shown = [
            replace(line, line=with_marks(line.line, find_words(line.line, words), "reverse"))
            for line in shown
        ]
    selected = task_line(sheet, lines, task)
    rows = [
        theme.row((Span("▌"), *line.line), cells, "reverse")
        if at == selected
        else theme.row((Span(" "), *line.line, *_hint(line, keys or KeyMap())), cells)
        for at, line in enumerate(shown, start=top)
    ]
    facts = f"{min(top + 1, len(lines))}/{len(lines)}" if len(lines) > height else ""
    name = sheet.key or ("broken file" if sheet.error else "draft")
    title = title_rule(f"3 {name}", facts, cells, theme, is_focused=is_focused)
    return [title, *filled(rows, height, cells)]


def _shown_lines(
    lines: Sequence[DetailLine], top: int, height: int, search: str, match: int
) -> list[DetailLine]:
    """Return the lines on the screen, with each match marked; that of an index in bold, too."""
    shown = list(lines[top : top + height])
    marked: dict[int, list[tuple[int, int]]] = {}
    chosen: dict[int, list[tuple[int, int]]] = {}
    for number, entries in enumerate(find_matches(lines, search)):
        for at, begin, end in entries:
            if top <= at < top + len(shown):
                marked.setdefault(at - top, []).append((begin, end))
                if number == match:
                    chosen.setdefault(at - top, []).append((begin, end))
    for styles, ranges in ((("reverse",), marked), (("bold",), chosen)):
        for at, row_ranges in ranges.items():
            shown[at] = replace(shown[at], line=with_marks(shown[at].line, row_ranges, *styles))
    return shown


def _hint(line: DetailLine, keys: KeyMap) -> Line:
    """Return the key that a line names at its end, and what it does."""
    row = None if line.action is None else keys.of(line.action, Context.DETAIL)
    if row is None or not row.first:
        return ()
    return (Span("   "), Span(row.first, ("bold",)), Span(f" {row.hint}"))


def task_line(sheet: Sheet, lines: Sequence[DetailLine], task: int) -> int:
    """Return the index of the line of a sub-task; -1 for none.

    The sub-tasks are at the end.
    """
    return len(lines) - len(sheet.tasks) + task if task >= 0 else -1


def _clashes(sheet: Sheet, room: int) -> list[DetailLine]:
    if not sheet.clashes:
        return []
    words = (mark("!"), Span(f" both sides changed {', '.join(sheet.clashes)}"))
    lines = wrap_line(words, room, rest="  ")
    if cells_of(lines[-1]) > room - KEY_CELLS:
        lines.append(())
    last = DetailLine(lines.pop(), sheet.line, KeyAction.RESOLVE)
    return [*(DetailLine(line, sheet.line) for line in lines), last]


def _fields(sheet: Sheet, room: int) -> list[DetailLine]:
    longest = max((width(name) for name, _ in sheet.fields), default=0) + 2
    label = max(LABEL_CELLS, min(longest, max(room // 6, min(room // 2, COMMON_LABEL))))
    edits = {edit.part: edit for edit in sheet.edits}
    parts: list[Line] = []
    for name, value in sorted(sheet.fields, key=_rank):
        shown: Line = (Span(value or "–"),)
        if name.casefold() == "status":
            shown = (mark(status_mark(value)), Span(f" {value}"))
        edit = edits.get(name)
        if edit is not None:
            shown = (mark("*"), Span(f"{clean(edit.before) or '–'}→{clean(edit.after) or '–'}"))
        parts.append((Span(fit(clip(name, label - 1), label), ("dim",)), *shown))
    if not parts:
        return []
    if room < TWO_COLUMNS:
        lines = [wrap_line(part, room, rest=" " * label) for part in parts]
        return [*(DetailLine(pair) for wrapped in lines for pair in wrapped), DetailLine(())]
    return [*_two_columns(parts, room, label), DetailLine(())]


def _rank(field: tuple[str, str]) -> int:
    """Return the place of a field in the sheet; others follow in the order of the file."""
    name = field[0].casefold()
    return _ORDER.index(name) if name in _ORDER else len(_ORDER) + (name in _WIDE_FIELDS)


def _two_columns(parts: list[Line], room: int, label: int) -> list[DetailLine]:
    """Put short fields side by side; a long one has a line of its own."""
    sizes = [cells_of(part) + 1 for part in parts]
    half = max(room // 2, *(size for size in sizes if size <= room * 3 // 5), 0)
    lines: list[DetailLine] = []
    remaining = list(parts)
    while remaining:
        part = remaining.pop(0)
        if cells_of(part) >= half:
            lines += map(DetailLine, wrap_line(part, room, rest=" " * label))
            continue
        # One of the next fields that fits may come up, so that no column stays empty.
        fitting = (
            at
            for at, candidate in enumerate(remaining[:NEXT])
            if cells_of(candidate) <= room - half
        )
        beside = next(fitting, None)
        if beside is not None:
            part = (*part, Span(" " * (half - cells_of(part))), *remaining.pop(beside))
        lines.append(DetailLine(part))
    return lines


def _texts(sheet: Sheet, room: int) -> list[DetailLine]:
    first = sheet.description_line
    lines = [
        DetailLine(line, first + source if first else 0)
        for line, source in _rendered(sheet.description, room)
    ]
    if sheet.criteria:
        lines += [DetailLine(()), DetailLine((Span("Acceptance criteria", ("bold",)),))]
        sources = sheet.criteria_lines or (0,) * len(sheet.criteria)
        for text, source in zip(sheet.criteria, sources, strict=False):
            lines += _criterion(text, source, room)
    return [*lines, *_field_texts(sheet, room), *_comments(sheet, room)]


def _field_texts(sheet: Sheet, room: int) -> Iterator[DetailLine]:
    """Yield the lines of the rich-text fields, each below its name."""
    for text in sheet.texts:
        yield DetailLine(())
        for line in wrap_line((Span(text.name, ("bold",)),), room):
            yield DetailLine(line, text.heading)
        for line, at in _rendered(text.text, room):
            yield DetailLine(line, text.line + at if text.line else 0)


def _comments(sheet: Sheet, room: int) -> Iterator[DetailLine]:
    """Yield the lines of the comments, each below who wrote it and when."""
    if not sheet.comments:
        return
    yield DetailLine(())
    yield DetailLine((Span(f"Comments  {len(sheet.comments)}", ("bold",)),))
    for at, comment in enumerate(sheet.comments):
        if at:
            yield DetailLine(())
        head = (
            (Span(comment.head, ("dim",)),) if comment.head else (mark("*"), Span(" not sent yet"))
        )
        yield from (DetailLine(pair, comment.line) for pair in wrap_line(head, room))
        for line, source in _rendered(comment.text, room - 2):
            yield DetailLine((Span("  "), *line), comment.line + source if comment.line else 0)


def _criterion(text: str, source: int, room: int) -> Iterator[DetailLine]:
    """Yield the lines of an acceptance criterion; `source` is its line in the file, or 0."""
    prefix = Span("• ")
    for line, at in _rendered(text, room - 2):
        yield DetailLine((prefix, *line), source + at if source else 0)
        prefix = Span("  ")


def _rendered(text: str, room: int) -> Iterator[tuple[Line, int]]:
    """Yield the lines of a text, each with the index of its line in the file."""
    if len(text) + BRACKET * text.count("[") <= LONGEST_RENDERED:
        for rendered_line in render_markdown(text, room):
            yield rendered_line.line, rendered_line.source
        return
    for at, line in enumerate(text.splitlines()):
        for part in wrap(clean(line), max(2, room)):
            yield (Span(part),), at


def _tasks(sheet: Sheet, room: int) -> list[DetailLine]:
    if not sheet.tasks:
        return []
    heading = DetailLine((Span(f"Sub-tasks  {len(sheet.tasks)}", ("bold",)),))
    return [DetailLine(()), heading, *(DetailLine(_task(task, room)) for task in sheet.tasks)]


def _task(task: TaskLine, room: int) -> Line:
    text = clip(f" {task.key or 'draft'}  {task.title}", max(1, room - 2))
    return (mark(status_mark(task.status)), Span(text))
