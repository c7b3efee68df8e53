"""Test what the screen shows for a state, cell by cell, against golden frames.

After an intended change, ``TICKETR_GOLDEN=write`` writes the files again; read the diff.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from fakes.screens import plain
from fakes.states import after, snapshot, tickets_of
from hypothesis import given, strategies as st

from ticketr import JobProgress, JobSnapshot, JobStatus
from ticketr.statusline import LineStyle
from ticketr.sync import Code, Note, PushResult
from ticketr.terminal import sgr
from ticketr.text import width as cells
from ticketr.tickets import Ticket
from ticketr.tui import messages
from ticketr.tui.rows import row_of_broken
from ticketr.tui.state import AppState
from ticketr.tui.theme import Theme
from ticketr.tui.views import screen

GOLDEN = Path(__file__).parent / "golden"
COLORS = Theme(partial(sgr, colors=True), LineStyle())
ASCII = Theme(line_style=LineStyle(unicode=False))
SIZES = [(20, 6), (40, 8), (80, 12), (200, 12)]
STORY = Ticket(
    title="Let a buyer pay by bank transfer",
    key="SHOP-41",
    fields={"Status": "In Progress"},
    description="A buyer can pick bank transfer at the till.",
    tasks=(Ticket(title="Send the mail 工单 🎉", key="SHOP-42", fields={"Status": "To Do"}),),
)
HOSTILE = Ticket(title="x\x1b]52;c;aGk=\x07y \u202egnp.exe \x9b31m", key="SHOP-43")


def job(name: str, status: JobStatus, current: float, total: float, message: str) -> JobSnapshot:
    progress = JobProgress(job_id=name, current=current, total=total, message=message, revision=1)
    return replace(snapshot(status, job=name), name=name, progress=progress)


JOBS = {
    "idle": [],
    "one": [job("a", JobStatus.RUNNING, 54, 120, "Pulling tickets")],
    "three": [
        job("a", JobStatus.RUNNING, 54, 120, "Pulling tickets"),
        job("b", JobStatus.RUNNING, 0, 0, "Connecting to Jira..."),
        job("c", JobStatus.RUNNING, 1, 2, "Other"),
    ],
    "unknown": [job("a", JobStatus.RUNNING, 0, 0, "Connecting to Jira...")],
    "hostile": [job("a", JobStatus.RUNNING, 1, 2, "a\x1b[2Jb\nc\u202ed")],
    "failed": [job("a", JobStatus.FAILED, 1, 2, "Pull failed: no answer")],
    "cancelled": [job("a", JobStatus.CANCELLED, 45, 120, "Cancelled: 45/120 tickets pulled")],
}


def state_of(name: str, width: int, height: int) -> AppState:
    state = AppState(width=width, height=height, title="work")
    found = tickets_of(STORY, HOSTILE, Ticket(title="A draft", line=1))
    state = after(state, messages.TicketsFound(found))
    return after(state, *(messages.JobChanged(each) for each in JOBS[name]))


def check(name: str, rows: list[str]) -> None:
    text = "\n".join(f"{plain(row)}|" for row in rows) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("TICKETR_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def fits(rows: list[str], width: int, height: int) -> bool:
    return len(rows) == height and all(cells(plain(row)) == width for row in rows)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}")
@pytest.mark.parametrize("jobs", sorted(JOBS))
def test_a_frame_is_as_it_was_agreed(jobs: str, size: tuple[int, int]) -> None:
    rows = screen(state_of(jobs, *size), 13.0, COLORS)

    assert fits(rows, *size)
    check(f"{jobs}-{size[0]}", rows)


@pytest.mark.parametrize("width", [40, 80])
def test_edits_and_conflicts_are_marked(width: int) -> None:
    state = state_of("idle", width, 8)
    edited, conflicts = frozenset({"SHOP-42", "SHOP-41"}), {"SHOP-43": "SHOP-43: Title"}
    state = after(state, messages.FilesRead(state.rows, edited, conflicts))
    check(f"marks-{width}", screen(state, 0.0, COLORS))

    asked = after(state, *(messages.KeyPressed(key) for key in ("G", "r")))
    check(f"question-{width}", screen(asked, 0.0, COLORS))


def test_notes_cover_the_rest() -> None:
    notes = (Note("SHOP-41", "a.md", "Priority: " + "words " * 20, Code.INVALID),) * 3
    ended = replace(snapshot(JobStatus.COMPLETED), result=PushResult(total=3, failed=notes))
    state = after(state_of("idle", 60, 8), messages.JobChanged(ended))
    check("noticed-60", screen(state, 0.0, COLORS))

    state = after(state, *(messages.KeyPressed(key) for key in "nj"))
    check("notes-60", screen(state, 0.0, COLORS))


def test_broken_files_are_counted_and_listed() -> None:
    state = state_of("idle", 60, 8)
    broken = ("a.md:2:1: this file holds a git conflict " + "words " * 9, "cannot read b.md: no")
    rows = tuple(row_of_broken(words[:4], words, has_rows=False) for words in broken)
    state = after(state, messages.FilesRead((*rows, *state.rows), broken=broken))
    check("broken-60", screen(state, 0.0, COLORS))

    check("broken-notes-60", screen(after(state, messages.KeyPressed("n")), 0.0, COLORS))


def test_an_ascii_frame_is_ascii() -> None:
    rows = screen(state_of("one", 200, 8), 13.0, ASCII)

    assert all(row.isascii() for row in rows)
    assert fits(rows, 200, 8)
    check("ascii-200", rows)


def test_without_colours_the_selection_still_shows() -> None:
    theme = Theme(partial(sgr, colors=False), LineStyle(color=False))

    rows = screen(state_of("one", 80, 12), 13.0, theme)

    assert not any(code in row for row in rows for code in ("\x1b[3", "\x1b[4", "\x1b[2m"))
    assert "▸" in plain(rows[1])


def test_a_ticket_is_read_beside_the_list_where_there_is_room() -> None:
    lines = ("# TICKET: [SHOP-41] Let", "", "## Description", "Words")
    wide = state_of("idle", 120, 8)
    wide = after(wide, messages.DetailLoaded(wide.rows[1], lines))
    check("detail-120", screen(wide, 0.0, COLORS))

    narrow = after(wide, messages.Resized(60, 8))
    check("detail-60", screen(narrow, 0.0, COLORS))


def test_the_help_is_made_from_the_table() -> None:
    state = after(state_of("one", 80, 24), messages.KeyPressed("?"))

    check("help-80", screen(state, 13.0, COLORS))


def test_no_hostile_character_reaches_the_screen() -> None:
    for name in JOBS:
        for row in screen(state_of(name, 120, 12), 13.0, Theme()):
            assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in row)
            assert "\u202e" not in row


@given(
    width=st.integers(1, 250),
    height=st.integers(1, 60),
    titles=st.lists(st.text(max_size=60), max_size=8),
    keys=st.lists(st.sampled_from(["j", "?", "KEY_ENTER", "G"]), max_size=3),
)
def test_every_frame_fits_with_any_content(
    width: int, height: int, titles: list[str], keys: list[str]
) -> None:
    found = tickets_of(*(Ticket(title=t, key=f"XY-{n}") for n, t in enumerate(titles, 1)))
    state = after(AppState(width=width, height=height), messages.TicketsFound(found))
    state = after(state, *(messages.KeyPressed(key) for key in keys))

    assert fits(screen(state, 0.0, COLORS), width, height)
