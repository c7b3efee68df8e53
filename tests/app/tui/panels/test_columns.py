"""The columns of the ticket list: which have room, what they show, and which a user hides."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fakes.states import app_state, plain, pressed

from ticketr.app.tickets import Ticket, filterable_issue_of
from ticketr.app.tui import messages
from ticketr.app.tui.rows import Rows, rows_of
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.update import update
from ticketr.statusline import LineStyle
from ticketr.terminal import Key

TITLE = "Rebuild the index without any downtime at all, and measure how long that takes"
FIELDS = {
    "Type": "Story",
    "Status": "In Progress",
    "Priority": "High",
    "Assignee": "Priya Raman",
    "Sprint": "Harbour Sprint 6, Harbour Sprint 7",
    "Story Points": "5.0",
}
REVIEWED = {
    **FIELDS,
    "Status": "In Review",
    "Priority": "Blocker",
    "Sprint": "Sprint 7",
    "Story Points": "0.5",
}
UPDATED = {"DEMO-1": "2026-11-28T12:00:00.000+0000", "DEMO-2": "2026-11-29T12:00:00.000+0000"}


def state_of(cells: int, height: int = 30) -> AppState:
    tickets = Ticket(TITLE, "DEMO-1", fields=FIELDS), Ticket(TITLE, "DEMO-2", fields=REVIEWED)
    rows = (rows_of(ticket, f"{ticket.key}.md", UPDATED) for ticket in tickets)
    state = app_state(width=cells, height=height)
    work = replace(state.workspace, rows=Rows.from_unsorted(row for some in rows for row in some))
    return replace(state, workspaces=(work,))


BARE = Theme()


def lines(state: AppState, theme: Theme = BARE) -> list[str]:
    """Return the rows of the two tickets, without the open ticket."""
    shown = draw_screen(state, 1.0, theme)[2:4]
    return [plain(row)[: state.layout.list_cells] for row in shown]


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        (40, " PR "),
        (60, " ↑ Story PR "),
        (80, " PR "),
        (100, " ↑ PR "),
        (120, " ↑ Story 2026-11-28   5 PR "),
        (140, " ↑ Story In Progress 2026-11-28 Harbo. 7   5 PR "),
        (200, " ↑ Story In Progress 2026-11-28 Harbo. 7   5 PR "),
    ],
)
def test_columns_come_with_the_width_and_leave_the_title_thirty_cells(
    cells: int, right: str
) -> None:
    line, _ = lines(state_of(cells))

    assert line.endswith(f"… {right.lstrip()}")
    assert line.startswith("▌  ◐ DEMO-1    Rebuild the index")
    title = line[15 : -len(right)]
    assert len(title) >= (30 if cells > 40 else 21)


def test_a_status_in_review_differs_from_one_in_progress_at_every_width() -> None:
    assert [line[3] for line in lines(state_of(60))] == ["◐", "◕"]
    in_ascii = Theme(status_line_style=LineStyle(unicode=False, color=False))
    assert [line[3] for line in lines(state_of(60), in_ascii)] == ["~", "%"]
    assert " ⇈ Story In Review   2026-11-29 Sprint 7 0.5 PR " in lines(state_of(140))[1]


def test_a_priority_that_the_site_has_made_up_is_a_question_mark_and_no_sub_task_is_cut() -> None:
    state = state_of(60)
    ticket = Ticket(TITLE, "DEMO-1", fields={**FIELDS, "Priority": "Someday", "Type": "Sub-task"})
    work = replace(state.workspace, rows=Rows.from_unsorted(rows_of(ticket, "DEMO-1.md", UPDATED)))
    assert lines(replace(state, workspaces=(work,)))[0].endswith(" ? Sub   PR ")


def test_a_list_without_room_for_columns_still_works() -> None:
    for cells, height in ((60, 20), (40, 12), (20, 4)):
        state = pressed(state_of(cells, height), "j", "S", "KEY_ESCAPE")
        assert state.selected_row is not None
        assert state.selected_row.key == "DEMO-2"
        assert len(lines(state)) == 2


def chosen(state: AppState, words: str) -> tuple[AppState, tuple[object, ...]]:
    """Take an entry of the list of sorts and columns."""
    return update(pressed(state, "S", *words), Key("KEY_ENTER"), 99.0)


def test_a_hidden_column_leaves_its_room_to_others_and_is_remembered() -> None:
    state, (remembered,) = chosen(state_of(120), "column updated")
    assert "column updated" in plain("".join(draw_screen(state, 1.0, BARE)))  # for another one
    state = pressed(state, "KEY_ESCAPE")
    assert lines(state)[0].endswith("… ↑ Story In Progress   5 PR ")

    _, memory = remembered.args  # type: ignore[attr-defined]
    assert memory.hidden_columns == {"updated"}
    again = messages.SavedListViewRead("work", state.workspace.filter, "key", memory.hidden_columns)
    assert lines(update(state_of(120), again, 1.0)[0]) == lines(state)
    shown, _ = chosen(state, "column updated")
    assert lines(pressed(shown, "KEY_ESCAPE")) == lines(state_of(120))


def test_a_column_without_room_says_so() -> None:
    text = "\n".join(plain(row) for row in draw_screen(pressed(state_of(100), "S"), 1.0, BARE))
    assert re.findall(r"column (\w+) +(shown|hidden|no room)", text)[:3] == [
        ("assignee", "shown"),
        ("priority", "shown"),
        ("updated", "no room"),
    ]


@pytest.mark.parametrize(("sort", "first"), [("updated", "DEMO-2"), ("points", "DEMO-1")])
def test_the_list_is_sorted_by_what_columns_show(sort: str, first: str) -> None:
    state, _ = chosen(state_of(140), sort)
    assert state.workspace.visible.rows[0].row.key == first


def test_texts_of_jira_reach_no_terminal_raw() -> None:
    fields = {"Type": "\x1b[31mBug\x07", "Sprint": "\u202eSprint\x9b 1", "Priority": "\x1b]0;x\x07"}
    state = app_state(Ticket("A", "DEMO-1", fields=fields), width=140)
    assert (
        filterable_issue_of(Ticket("A", "DEMO-1", fields=fields)).fields["Type"]
        == "\x1b[31mBug\x07"
    )
    row = draw_screen(state, 1.0, Theme())[2]
    assert not any(raw in row for raw in "\x1b\x07\x9b\u202e")
