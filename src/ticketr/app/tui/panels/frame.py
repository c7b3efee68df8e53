"""What panels are drawn with: rules with titles, matches and marks. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import TypeAlias, TypeVar

from ticketr.app.tickets import fold
from ticketr.app.tui.sheet import DetailLine
from ticketr.app.tui.styled import Line, Span, Theme, plain, slice_line
from ticketr.text import clip, width

_cached_fold = lru_cache(maxsize=4096)(fold)


def line_index_of_each_match(lines: Sequence[DetailLine], words: str) -> tuple[int, ...]:
    """Return the lines in which a text begins, from the first to the last; case does not matter.

    Args:
        lines: The lines.
        words: What is searched. A blank in it is any blank, also the end of a line that was
            wrapped.

    Returns:
        The index of the line of each match.
    """
    pattern = r"\s+".join(re.escape(fold(word)) for word in words.split())
    if not pattern:
        return ()
    texts = [fold(plain(line.line)) for line in lines]
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    matches = re.finditer(pattern, "\n".join(texts))
    return tuple([bisect_right(starts, match.start()) - 1 for match in matches])


def find_words(line: Line, words: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return the ranges of a line that hold one of some folded words; none overlaps another."""
    pattern = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    if not pattern:
        return ()
    text = plain(line)
    if text.isascii():
        return tuple([match.span() for match in re.finditer(pattern, fold(text))])
    letters = [_cached_fold(letter) for letter in text]
    places = [at for at, folded in enumerate(letters) for _ in folded]
    spans = [match.span() for match in re.finditer(pattern, "".join(letters))]
    return tuple([(places[begin], places[end - 1] + 1) for begin, end in spans])


def with_marked_ranges(line: Line, marked: Sequence[tuple[int, int]], *styles: str) -> Line:
    """Return a line in which some ranges of characters have more styles.

    Args:
        line: The line.
        marked: The ranges in order; none overlaps another.
        styles: The styles to add.
    """
    spans: list[Span] = []
    borders = [0, *(at for pair in marked for at in pair), len(plain(line))]
    for at, part in enumerate(slice_line(line, pairwise(borders))):
        is_marked = at % 2  # every second part is
        spans += (
            [replace(span, styles=(*span.styles, *styles)) for span in part] if is_marked else part
        )
    return tuple(spans)


_TO_DO_STATUSES = frozenset(
    [
        "to do",
        "todo",
        "open",
        "new",
        "backlog",
        "selected for development",
        "reopened",
        "created",
        "planned",
        "ready",
        "to be done",
        "zu erledigen",
        "offen",
        "neu",
        "à faire",
        "por hacer",
        "da fare",
        "待办",
        "未着手",
    ]
)
_DONE_STATUSES = frozenset(
    [
        "done",
        "closed",
        "resolved",
        "complete",
        "completed",
        "cancelled",
        "canceled",
        "released",
        "rejected",
        "fertig",
        "erledigt",
        "geschlossen",
        "terminé",
        "terminé(e)",
        "fermé",
        "listo",
        "hecho",
        "fatto",
        "完成",
        "完了",
        "won't do",
        "won't fix",
        "declined",
        "abandoned",
        "archived",
        "published",
        "shipped",
    ]
)


#: Found in the names of statuses between the work and its end.
_REVIEW_STATUS_PATTERN = re.compile("review|test|qa|verif|approv|prüfung|relecture|revisión")


@lru_cache(maxsize=512)
def status_mark(status: str) -> str:
    """Return a status as one character: ○ to do, ◐ in progress, ◕ in review or test, ● done.

    A file holds a status by its name alone, so the usual names decide; any other counts as being
    in progress. An unknown one is a blank.
    """
    name = status.strip().casefold()
    if not name:
        return " "
    if name in _TO_DO_STATUSES:
        return "○"
    if name in _DONE_STATUSES:
        return "●"
    return "◕" if _REVIEW_STATUS_PATTERN.search(name) else "◐"


@lru_cache(maxsize=512)
def initials(name: str) -> str:
    """Return a person's name in two cells at most; a dash for nobody."""
    words = [word for word in name.replace("@", " ").split() if word[0].isalnum()]
    if not words:
        return "–"
    if not words[0][0].isascii() and words[0][0].isalpha() and len(words) == 1:
        return clip(words[0], 2, ellipsis="")
    letters = words[0][0] + (words[-1][0] if len(words) > 1 else words[0][1:2])
    return clip(letters.upper() if len(words) > 1 else letters.capitalize(), 2, ellipsis="")


#: A row, or a function that draws it once it is known to be on the screen.
RowOrDrawer: TypeAlias = str | Callable[[], str]

T = TypeVar("T")


def title_rule(left: str, right: str, cells: int, theme: Theme, *, is_focused: bool) -> str:
    """Return a rule that holds a title at its left and facts at its right.

    Args:
        left: The title, cleaned.
        right: The facts, cleaned; left out where there is no room.
        cells: The width of the rule.
        theme: Colours and characters.
        is_focused: Whether the panel has the focus, which makes its title bold.
    """
    left, right, line = map(theme.ascii_if_needed, (left, right, "─"))
    room = cells - width(left) - 5
    right = f" {right} " if right and width(right) + 2 <= room else ""
    left = clip(left, max(0, cells - 4 - width(right)), ellipsis=theme.ellipsis)
    fill = max(0, cells - 3 - width(left) - width(right) - 1)
    start, end = clip(f"{line} ", cells, ellipsis=""), line * fill
    shown = theme.style(left, "bold") if is_focused else left
    tail = clip(f" {end}", max(0, cells - 2 - width(left) - width(right) - 1), ellipsis="")
    if cells < 4:
        return theme.rule(cells)
    return theme.style(start, "dim") + shown + theme.style(tail, "dim") + right + theme.rule(1)


def cut_or_pad_rows(rows: Sequence[str], height: int, cells: int) -> list[str]:
    """Return exactly so many rows, with blank ones at the end."""
    return [*rows[:height], *[" " * cells] * (height - len(rows))]


def draw_rows(rows: Sequence[RowOrDrawer]) -> list[str]:
    """Return rows that are on the screen; of hundreds, only these are drawn."""
    return [row if isinstance(row, str) else row() for row in rows]


def space_headings(
    rows: Sequence[T], headings: Sequence[int], at: int, height: int, blank: T
) -> tuple[list[T], int]:
    """Put a blank row before each heading, if there is room for all rows then.

    Args:
        rows: The rows, or what draws them.
        headings: The indices of the headings; one at the very top gets no blank row.
        at: The index of a row that is looked for.
        height: The rows of the screen.
        blank: A blank row.

    Returns:
        The rows, and where the row is that was looked for.
    """
    before = [heading for heading in headings if heading]
    if len(rows) + len(before) > height:
        return list(rows), at
    shown = list(rows)
    for number in reversed(before):
        shown.insert(number, blank)
    return shown, at + sum(number <= at for number in before)


def scroll_top(top: int, index: int, page: int, count: int) -> int:
    """Return the index of the first row to show, so that the selected row is on the screen.

    Args:
        top: The index of the first row that was shown before.
        index: The index of the selected row.
        page: The number of rows on the screen.
        count: The number of all rows.
    """
    return max(0, min(max(top, index - page + 1), index, count - page))
