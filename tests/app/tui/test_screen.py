from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fakes.screens import plain
from fakes.states import after, app_state, pressed, snapshot

from ticketr import JobSnapshot, JobStatus
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.screen import screen
from ticketr.app.tui.state import AppState
from ticketr.app.tui.theme import Theme
from ticketr.app.tui.update import wake_at
from ticketr.statusline import LineStyle
from ticketr.terminal import sgr
from ticketr.text import width

HOSTILE = Ticket(
    "\x1b[31mred\x07 \u202e陈美玲 👩‍👩‍👧 " * 5, "DEMO-7", fields={"Assignee": "陈美玲"}
)
TICKETS = (
    Ticket(
        "Search",
        "DEMO-1",
        fields={"Status": "Done", "Assignee": "Priya Raman"},
        tasks=(Ticket("Translate", "DEMO-2", fields={"Status": "In Progress"}),),
    ),
    HOSTILE,
    Ticket("A draft"),
)
THEMES = (Theme(), Theme(sgr), Theme(line_style=LineStyle(unicode=False)))


@pytest.mark.parametrize(
    "size", [(200, 60), (100, 30), (80, 24), (60, 16), (40, 8), (20, 4), (12, 3)]
)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("keys", [(), ("3",), ("1",), ("?",), ("L",), ("/", "x"), ("j", "z")])
def test_every_row_is_exactly_as_wide_as_asked(
    size: tuple[int, int], theme: Theme, keys: tuple[str, ...]
) -> None:
    state = after(
        app_state(*TICKETS, width=size[0], height=size[1]), messages.JobChanged(snapshot())
    )

    rows = screen(pressed(state, *keys), 1.0, theme)

    assert len(rows) == size[1]
    assert [width(plain(row)) for row in rows] == [size[0]] * size[1]
    if not theme.line_style.unicode:
        assert all(row.isascii() for row in rows)


def test_a_key_is_hinted_once_with_what_it_does_in_the_panel() -> None:
    bar = plain(screen(pressed(app_state(*TICKETS), "1"), 1.0, Theme())[-2])

    assert bar.count("a add") == 1


def test_the_list_shows_mark_status_key_title_and_assignee() -> None:
    rows = [plain(row) for row in screen(app_state(*TICKETS), 0.0, Theme())]

    assert rows[3].startswith("─ 2 Tickets ")
    assert " 1/4 · by key · f filter · / search ─" in rows[3]
    assert rows[4].startswith("▌+   draft     A draft")
    assert rows[5][:53] == "  ▾● DEMO-1    Search                             PR "
    assert rows[6][:28] == "   ◐ DEMO-2      Translate  "


def test_the_action_bar_names_the_keys_that_have_an_effect_on_the_ticket() -> None:
    state = app_state(*TICKETS, width=120)
    bar = plain(screen(state, 0.0, Theme())[-2])
    assert "c settle" not in bar
    assert "o browser" not in bar  # the selected one is a draft
    assert bar.rstrip().endswith("? all")
    assert " s sync" in bar

    conflict = messages.FilesRead(
        "work", state.workspace.rows, conflicts={"DEMO-1": ("DEMO-1: Title",)}
    )
    bar = plain(screen(pressed(after(state, conflict), "j"), 0.0, Theme())[-2])
    assert "c settle" in bar
    assert "o browser" in bar


@pytest.mark.parametrize(
    ("age", "wide", "narrow"),
    [
        (None, "", ""),
        (59.0, "synced now", "synced now"),
        (-3600.0, "synced now", "synced now"),  # the clock was set back since
        (4 * 60.0 + 59, "synced 4m ago", "4m ago"),
        (3 * 3600.0, "synced 3h ago", "3h ago"),
        (50 * 3600.0, "synced 2d ago", "2d ago"),
    ],
)
def test_a_workspace_says_when_it_was_synced_in_as_many_words_as_fit(
    age: float | None, wide: str, narrow: str
) -> None:
    state = app_state(*TICKETS)
    state = after(state, messages.FilesRead("work", state.workspace.rows, age=age))

    assert workspace_line(state)[26:53].split("+1")[1].strip() == wide
    assert workspace_line(replace(state, width=42))[26:].split("+1")[1].strip() == narrow


def test_time_goes_on_for_a_workspace_without_a_message() -> None:
    state = app_state(*TICKETS)
    state = after(state, messages.FilesRead("work", state.workspace.rows, age=0.0))
    assert "synced now" in workspace_line(state, now=60.0)
    assert "synced 1m ago" in workspace_line(state, now=61.0)
    assert wake_at(state) == math.inf


def workspace_line(state: AppState, now: float = 1.0) -> str:
    return plain(screen(state, now, Theme())[2])


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (snapshot(), "pulling 50%"),
        (replace(snapshot(), progress=None), "pulling..."),
        (snapshot(JobStatus.PENDING), "pull waits"),
        (replace(snapshot(), tags=frozenset({"workspace:work"})), "working 50%"),
    ],
)
def test_a_workspace_says_what_its_job_does(job: JobSnapshot, words: str) -> None:
    state = after(app_state(*TICKETS), messages.JobChanged(job))
    assert workspace_line(state)[:53].rstrip().endswith(f" {words}")


def test_the_hints_of_an_overlay_end_with_the_way_back_at_every_width() -> None:
    state = pressed(app_state(*TICKETS), "p")
    for cells in (100, 60, 40):
        bar = plain(screen(replace(state, width=cells), 1.0, Theme())[-2]).rstrip()
        assert bar.endswith("Esc back  ? all")
    assert plain(screen(pressed(state, "?"), 1.0, Theme())[-2]).strip() == "Esc back"
    assert "Esc back" not in plain(screen(app_state(*TICKETS), 1.0, Theme())[-2])


def test_a_long_help_has_two_columns_on_a_wide_screen() -> None:
    wide = pressed(app_state(*TICKETS, width=120), "?")
    rows = [plain(row) for row in screen(wide, 1.0, Theme())]
    assert "read the ticket" in rows[2]
    assert rows[2][62:].strip() != ""
    assert pressed(replace(wide, height=12), "G").overlays != wide.overlays
    tall = [plain(row) for row in screen(replace(wide, height=70), 1.0, Theme())]
    assert tall[2][62:].strip() == ""
    assert tall[1].rstrip().endswith("──")


def test_a_notice_without_room_for_it_loses_the_folders_of_a_path_and_not_the_cause() -> None:
    words = "the file '/home/somebody/jira/of a/year.md' cannot be read: its disk is broken"
    state = app_state(width=60).noticed(words)

    low = [replace(state, width=cells, height=6) for cells in (80, 68)]
    shown = [plain(screen(each, 0.0, Theme())[-2]) for each in low]

    assert [each.strip() for each in shown] == [
        words,
        "the file '…/of a/year.md' cannot be read: its disk is broken",
    ]


def test_a_long_notice_has_more_rows_where_there_is_room_and_is_cut_where_there_is_none() -> None:
    words = "DEMO-9.md holds the comment; p shows what a push sends, u takes it back"
    state = app_state(width=60, height=20).noticed(words)

    rows = [plain(row).rstrip() for row in screen(state, 0.0, Theme())]
    assert len(rows) == 20
    assert rows[-3:-1] == [
        " DEMO-9.md holds the comment; p shows what a push sends, u",
        " takes it back",
    ]
    longer = plain(screen(state.noticed(f"{words}; {words}; {words}"), 0.0, Theme())[-2])
    assert longer.strip() == "push sends, u takes it back; DEMO-9.md holds the comment;…"
    low = [plain(row).rstrip() for row in screen(replace(state, height=6), 0.0, Theme())]
    assert low[-2] == " DEMO-9.md holds the comment; p shows what a push sends, u…"
    assert "2 Tickets" in low[1]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            "cannot reach a.example (refused): check it (https://a.example/rest/api/3/myself)",
            "cannot reach a.example (refused): check it",
        ),
        (
            "a.example did not answer for 30 s: try again (https://a.example/rest/api/3/myself)",
            "a.example did not answer for 30 s: try again",
        ),
    ],
)
def test_the_address_of_a_request_makes_room_for_the_cause(words: str, shown: str) -> None:
    low = app_state(width=60, height=6).noticed(words)
    assert plain(screen(low, 0.0, Theme())[-2]).strip() == shown
    assert plain(screen(replace(low, width=100), 0.0, Theme())[-2]).strip() == words


@pytest.mark.parametrize("height", [20, 5, 4])
def test_an_empty_ticket_that_hides_the_list_says_that_none_is_selected(height: int) -> None:
    state = pressed(app_state(width=60, height=height), "3")
    assert "No ticket is selected" in "".join(plain(row) for row in screen(state, 0.0, Theme()))
    wide = replace(state, width=100)
    assert "No ticket is selected" not in "".join(plain(row) for row in screen(wide, 0.0, Theme()))


def test_an_address_is_no_path() -> None:
    words = "the site https://harbour.example/browse/DEMO-1 is /gone/away/for good"
    state = app_state(width=60, height=6).noticed(words)

    shown = plain(screen(state, 0.0, Theme())[-2]).strip()

    assert shown == "the site https://harbour.example/browse/DEMO-1 is …/for g…"
