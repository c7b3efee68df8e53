"""Screens with far more rows than fit draw those that are shown, with every key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from fakes.bytecodes import Bytecodes
from fakes.conflict_views import conflict_view
from fakes.job_snapshots import EARLIER
from fakes.screens import plain
from fakes.states import after, app_state, pressed, snapshot

from ticketr import JobStatus
from ticketr.app.sync.compare.choices import ConflictSource
from ticketr.app.sync.compare.conflict_parts import find_parts
from ticketr.app.sync.compare.versions import Versions
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.overlays.conflict import ConflictScreen
from ticketr.app.tui.overlays.conflict_rows import MOST_NAMED
from ticketr.app.tui.screen import screen
from ticketr.app.tui.sheet import Edit, sheet_of
from ticketr.app.tui.state import AppState, OpenTicket
from ticketr.app.tui.theme import Theme

TICKET = Ticket("Rebuild the index", "DEMO-9")


def conflict(count: int) -> AppState:
    """Return a state that shows a conflict of so many parts."""
    base, mine, jiras = (
        replace(TICKET, description="\n".join(f"{side} {at}\nsame {at}" for at in range(count)))
        for side in ("was", "mine", "theirs")
    )
    versions = Versions(base, mine, jiras)
    parts, merged = find_parts(versions)
    source = ConflictSource("", "", versions)
    view = replace(conflict_view(), parts=parts, merged=merged, source=source)
    assert len(parts) == count
    state = replace(app_state(TICKET), overlays=(ConflictScreen("work", "DEMO-9"),))
    return after(state, messages.ConflictRead("work", "DEMO-9", view))


def jobs(count: int) -> AppState:
    """Return a state that shows so many jobs of this run, and of an earlier one."""
    begin = datetime(2026, 11, 26, tzinfo=UTC)
    earlier = tuple(
        replace(
            EARLIER,
            number=at,
            id=f"before-{at}",
            started_at=begin,
            finished_at=begin + timedelta(seconds=at),
        )
        for at in range(count)
    )
    ended = [snapshot(JobStatus.COMPLETED, job=f"{at}") for at in range(count)]
    state = pressed(after(app_state(), *map(messages.JobChanged, ended)), "J")
    return after(state, messages.HistoryRead(earlier, date(2026, 11, 27), {}))


def diff(count: int) -> AppState:
    """Return a state that shows the changes of a text of so many lines."""
    before = "\n".join(f"Line {at} as it was" for at in range(count))
    after_it = before.replace("Line 3 as", "Line 3 is")
    state = app_state(TICKET)
    assert state.row is not None
    sheet = sheet_of(TICKET, "DEMO-9.md", (Edit("Description", before, after_it),))
    ticket = OpenTicket("work", state.row.order, sheet)
    return pressed(replace(state, ticket=ticket), "d")


def steps(state: AppState) -> int:
    """Return the bytecodes of a frame that is drawn again."""
    screen(state, 50.0, Theme())
    bytecodes = Bytecodes()
    with bytecodes.counted():
        screen(state, 50.0, Theme())
    return bytecodes.count


@pytest.mark.parametrize(
    ("shown", "least", "most", "each"),
    [(conflict, 40, 400, 100), (jobs, 40, 200, 300), (diff, 100, 3000, 5)],
)
def test_a_row_that_is_not_on_the_screen_takes_few_steps(
    shown: Callable[[int], AppState], least: int, most: int, each: int
) -> None:
    few, many = steps(shown(least)), steps(shown(most))

    assert few > 1000
    assert many - few < each * (most - least)


def test_a_conflict_of_many_parts_names_some_of_them_in_what_enter_will_do() -> None:
    state = replace(conflict(50), height=120)

    words = " ".join(" ".join(plain(row) for row in screen(state, 50.0, Theme())).split())

    assert "50 left to choose: " in words
    assert f" and {50 - MOST_NAMED} more " in words
