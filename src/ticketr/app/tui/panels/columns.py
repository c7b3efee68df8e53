"""The columns of the ticket list beside key and title: which have room, and what they show. Pure."""

from __future__ import annotations

from collections.abc import Callable, Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from ticketr.app.tickets import points_or_zero, rank_of_priority
from ticketr.app.tui.panels.frame import initials
from ticketr.app.tui.rows import ListRow
from ticketr.text import clean, clip, width

#: A column is shown only if it leaves the title so many cells.
MIN_TITLE_CELLS = 30
#: The same for the column of the assignee, which narrow lists show, too.
MIN_TITLE_CELLS_WITH_ASSIGNEE = 18
SPRINT_CELLS = 8
ISSUE_KEY_CELLS = 9
#: The cells before a title: bar, flag, fold mark, status mark, and the key between two blanks.
CELLS_BEFORE_TITLE = 4 + 1 + ISSUE_KEY_CELLS + 1
#: How urgent a priority is, as Jira's icons show it.
_PRIORITY_MARK_BY_RANK = ("⇈", "⇈", "↑", "=", "↓", "⇊")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list.

    Attributes:
        name: Its name, for people.
        cells: Its width, without the blank before it.
        text: Gives the cleaned text of a row.
    """

    name: str
    cells: int
    text: Callable[[ListRow], str]


def _assignee_initials_cell(row: ListRow) -> str:
    name = initials(clean(row.candidate.fields.get("Assignee", "")))
    return f"{' ' * (2 - width(name))}{name}"


def _type_cell(row: ListRow) -> str:
    """Return the type; that of a sub-task has no room for its whole name."""
    name = clean(row.candidate.fields.get("Type", ""))
    return name[:3] if name in {"Sub-task", "Subtask"} else name


def _priority_mark_cell(row: ListRow) -> str:
    name = row.candidate.folded_text("priority")
    rank = rank_of_priority(name)
    unknown = "?" if name else " "  # one that the site has made up
    return unknown if rank is None else _PRIORITY_MARK_BY_RANK[rank]


@lru_cache(maxsize=4096)
def _local_day(moment: str) -> str:
    """Return the day of a moment as Jira writes it, in the user's time zone."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d}"
    except (ValueError, OverflowError):
        return ""


def _sprint_cell(row: ListRow) -> str:
    """Return the last sprint; a long name keeps its last word, which is the number."""
    name = clean(row.candidate.fields.get("Sprint", "")).rpartition(",")[2].strip()
    if width(name) <= SPRINT_CELLS:
        return name
    start, _, number = name.rpartition(" ")
    return f"{clip(start, SPRINT_CELLS - 1 - width(number), ellipsis='.')} {number}"


def _points_cell(row: ListRow) -> str:
    points = points_or_zero(row.candidate)
    return f"{points:>3g}" if points else ""


#: The columns, those first that have room first.
COLUMNS_BY_IMPORTANCE = (
    Column("assignee", 2, _assignee_initials_cell),
    Column("priority", 1, _priority_mark_cell),
    Column("updated", 10, lambda row: _local_day(row.candidate.updated)),
    Column("status", 11, lambda row: row.status),
    Column("type", 5, _type_cell),
    Column("sprint", SPRINT_CELLS, _sprint_cell),
    Column("points", 3, _points_cell),
)
#: From left to right.
_LEFT_TO_RIGHT_COLUMNS = ("priority", "type", "status", "updated", "sprint", "points", "assignee")
COLUMN_NAMES = tuple(column.name for column in COLUMNS_BY_IMPORTANCE)


@lru_cache(maxsize=32)
def choose_columns(cells: int, hidden: AbstractSet[str]) -> tuple[Column, ...]:
    """Return the columns that have room, from left to right.

    Args:
        cells: The width of the list.
        hidden: The names of columns that the user has hidden.
    """
    room = cells - CELLS_BEFORE_TITLE - 1
    shown: list[Column] = []
    for column in COLUMNS_BY_IMPORTANCE:
        least = MIN_TITLE_CELLS_WITH_ASSIGNEE if column.name == "assignee" else MIN_TITLE_CELLS
        if column.name not in hidden and room - column.cells - 1 >= least:
            room -= column.cells + 1
            shown.append(column)
    return tuple(sorted(shown, key=lambda column: _LEFT_TO_RIGHT_COLUMNS.index(column.name)))
