"""The rows of a conflict. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ticketr.app.tui.overlays.base import wrapped_words
from ticketr.app.tui.panels.frame import Row, title_rule
from ticketr.app.tui.styled import Line, Span, wrap_line
from ticketr.app.tui.theme import Theme, mark
from ticketr.text import clean, clip, fit, width

if TYPE_CHECKING:
    from ticketr.app.sync import Choice, ConflictPart, ConflictView, Preview

NAME_CELLS = 16
#: The most cells of a text in what Enter will do.
MOST_WRITTEN = 32
#: The most parts that are named in what Enter will do.
MOST_NAMED = 20
#: From this width on, the three versions are side by side; from the next one on, both sides are.
THREE, TWO = 70, 46


def conflict_rows(
    view: ConflictView,
    choices: Mapping[str, Choice],
    plan: Preview,
    at: int,
    cells: int,
    theme: Theme,
    undo: str,
) -> tuple[list[Row], list[int], int]:
    """Return all rows of a conflict, the indices of headings, and that of the selected part.

    There may be thousands of parts, so their rows are not drawn yet.

    Args:
        view: The conflict.
        choices: What is chosen, by the IDs of the parts.
        plan: What carrying it out would do.
        at: The index of the selected part.
        cells: The width of the screen.
        theme: Colours and characters.
        undo: How it is taken back, as the end of a sentence; empty if no key does.
    """
    count = len(view.parts)
    rows: list[Row] = [theme.fit(f" {_change_times(view, count, cells)}", cells)]
    rows.append(theme.row(_heading(cells), cells))
    selected = 0
    for number, part in enumerate(view.parts):
        is_selected = number == at
        selected = len(rows) if is_selected else selected
        choice = choices.get(part.id)
        rows.append(partial(_part_row, part, choice, cells, theme, is_selected=is_selected))
    part = view.parts[min(at, count - 1)]
    versions = [title_rule(part.name, "word by word", cells, theme, is_focused=True)]
    versions += _versions(part, cells, theme)
    headings = [1]
    for section in (
        versions,
        _merged(view, cells, theme),
        _outcome(view, plan, cells, theme, undo),
    ):
        if section:
            headings.append(len(rows))
            rows += section
    return rows, headings, selected


def _change_times(view: ConflictView, count: int, cells: int) -> str:
    """Return since when both sides have changed something, and when Jira's side was changed."""
    what = "this" if count == 1 else "these"
    synced = f", {_moment(datetime.fromtimestamp(view.synced, UTC))}" if view.synced else ""
    words = f"Both sides have changed {what} since the last sync"
    words += f"{synced}." if width(words) + width(synced) + 2 < cells else "."
    by = f" by {clean(view.author)}" if view.author else ""
    try:
        jiras = f"Jira's{by}, {_moment(datetime.fromisoformat(view.updated))}"
    except ValueError:  # Jira has not said when
        return words
    gap = cells - 2 - width(words) - width(jiras)
    return f"{words}{' ' * gap}{jiras}" if gap >= 2 else words


def _moment(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M}"


def _columns(cells: int) -> tuple[int, int, int]:
    room = max(12, cells - NAME_CELLS - 8)
    column = room // 3
    return column, column, room - 2 * column


def _half_width(cells: int) -> int:
    return (cells - NAME_CELLS - 6) // 2


def _heading(cells: int) -> Line:
    if cells < TWO:
        return (Span(f"  {'':{NAME_CELLS}} yours, or Jira's", ("dim",)),)
    if cells < THREE:
        room = _half_width(cells)
        jiras = fit("Jira's", room)
        words = f"{'':{NAME_CELLS}} {fit('yours', room)}  {jiras}"
        return (Span(f"  {words}", ("dim",)),)
    one, two, three = _columns(cells)
    names = (fit("at the last sync", one), fit("yours", two), fit("Jira's", three))
    return (Span(f"  {'':{NAME_CELLS}} {'  '.join(names)}", ("dim",)),)


def _part_row(
    part: ConflictPart, choice: Choice | None, cells: int, theme: Theme, *, is_selected: bool
) -> str:
    line = _part(part, choice, cells, is_selected=is_selected)
    return theme.row(line, cells, *(("reverse",) if is_selected else ()))


def _part(part: ConflictPart, choice: Choice | None, cells: int, *, is_selected: bool) -> Line:
    name = fit(clean(part.name), NAME_CELLS)
    bar = "▌" if is_selected else " "
    if cells < TWO:
        return (Span(f"{bar} {name} {_chosen_words(choice)}"),)
    mine, jiras = _signs(choice)
    if cells < THREE:
        room = _half_width(cells)
        yours = fit(f"{mine} {_shortened(part.yours)}", room)
        return (Span(f"{bar} {name} {yours}  {fit(f'{jiras} {_shortened(part.jiras)}', room)}"),)
    one, two, three = _columns(cells)
    return (
        Span(f"{bar} {name} {fit(_shortened(part.base), one)}  "),
        Span(fit(f"{mine} {_shortened(part.yours)}", two)),
        Span(f"  {fit(f'{jiras} {_shortened(part.jiras)}', three)}"),
    )


def _chosen_words(choice: Choice | None) -> str:
    match choice:
        case None:
            return "?"
        case "mine":
            return "yours"
        case "jira":
            return "Jira's"
        case "both":
            return "both"
        case _:
            return "your text"


def _signs(choice: Choice | None) -> tuple[str, str]:
    match choice:
        case None:
            return "?", "?"
        case "mine":
            return "●", "○"
        case "jira":
            return "○", "●"
        case "both":
            return "●", "●"
        case _:
            return "✎", "○"


def _shortened(text: str) -> str:
    if "\n" in text:
        return f"{len(text.splitlines())} lines"
    return clean(text) or "–"


def _text_beginning(text: str) -> str:
    """Return the beginning of a text; the whole text is shown word by word."""
    return clip(_shortened(text), MOST_WRITTEN)


def _versions(part: ConflictPart, cells: int, theme: Theme) -> list[str]:
    rows: list[str] = []
    for name, text in (("last sync", None), ("yours", part.yours), ("Jira's", part.jiras)):
        label = f"   {name:<11}"
        rest = " " * len(label)
        if text is None:
            base = clean(part.base[: cells * 6]) or "–"
            wrapped = tuple(wrap_line((Span(base),), cells - 1, first=label, rest=rest))
        else:
            wrapped = wrapped_words(part.base, text, cells - 1, label, rest)
        rows += [theme.row(pair, cells) for pair in wrapped[:6]]
    return rows


def _merged(view: ConflictView, cells: int, theme: Theme) -> list[str]:
    if not view.merged:
        return []
    rows = [title_rule("Merged without you", "", cells, theme, is_focused=False)]
    for part in view.merged:
        side = "yours " if part.side == "mine" else "Jira's"
        words = f"{_shortened(part.before)} → {_shortened(part.after)}"
        rows.append(theme.fit(f"   {fit(clean(part.name), NAME_CELLS)} {side}  {words}", cells))
    return rows


def _joined_texts(texts: Sequence[str], separator: str, count: int | None = None) -> str:
    """Return the first texts of a list, cleaned, and how many more there are.

    Args:
        texts: The texts, or the first `MOST_NAMED` of them.
        separator: What is between two.
        count: The number of all; None if all are given.
    """
    more = (len(texts) if count is None else count) - MOST_NAMED
    named = clean(separator.join(texts[:MOST_NAMED]))
    return f"{named} and {more} more" if more > 0 else named


def _outcome(view: ConflictView, plan: Preview, cells: int, theme: Theme, undo: str) -> list[str]:
    rows = [title_rule("What Enter will do", "", cells, theme, is_focused=False)]
    lines: list[Line] = []
    if plan.left:
        names = _joined_texts(plan.left, ", ")
        lines.append((mark("!"), Span(f" nothing yet: {len(plan.left)} left to choose: {names}")))
    writes = [
        f"{write.name}: {_text_beginning(write.before)} → {_text_beginning(write.after)}"
        for write in plan.writes[:MOST_NAMED]
    ]
    does = _joined_texts(writes, "; ", len(plan.writes)) or "stays as it is"
    lines.append((Span(f"{clean(view.path)}: {does}"),))
    pushed = _joined_texts(plan.pushed, ", ")
    jira = f"nothing yet: {pushed} with the next push" if pushed else "nothing"
    lines.append((Span(f"Jira: {jira}"),))
    if plan.aside:
        lines.append((Span(f"put aside: your text of now, {clean(plan.aside)}{undo}"),))
    for line in lines:
        rows += [
            theme.row(pair, cells) for pair in wrap_line(line, cells - 1, first="   ", rest="     ")
        ]
    return rows
