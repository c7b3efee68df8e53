"""What holds of settling a conflict and of taking that back, whatever the versions are."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from fakes.examples import examples
from fakes.stores import make_store, put
from fakes.ticket_versions import Versions, versions
from hypothesis import event, given

from ticketr.app.jira import Issue
from ticketr.app.sync import State, Store, Take, carry_out, choose_all, read_conflict, resolve
from ticketr.app.sync.compare.diff import description_adf
from ticketr.app.sync.compare.mapping import FamilyText
from ticketr.app.sync.state.state import Base, IssueRow
from ticketr.app.sync.undo import undo_last
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.sync.writing.rendering import RenderedFamily
from ticketr.app.sync.writing.writer import FamilyWriter
from ticketr.app.tickets import Ticket, parse, render_ticket

PATH = "AB-1.md"
SIDES: dict[Literal["mine", "jira"], Take] = {"mine": Take.MINE, "jira": Take.JIRA}
# The work of one example differs too much for a time limit to mean anything.
some = examples(100, in_gate=10)


@dataclass(frozen=True)
class Content:
    """All that is in a workspace: the file, and the state without what can be undone."""

    file: bytes
    state: list[str]


def issues_of(ticket: Ticket) -> tuple[Issue, ...]:
    return tuple(
        Issue(
            (each.key or "").removeprefix("AB-"),
            each.key or "",
            {"description": description_adf(each)},
        )
        for each in (ticket, *ticket.tasks)
    )


def make_workspace(folder: Path, three: Versions) -> Store | None:
    """Make a workspace in which both sides have changed a ticket; None if nothing clashes."""
    store = make_store(folder)
    put(store, PATH, render_ticket(three.local))
    rows = [IssueRow(each, "", exact=True) for each in issues_of(three.base)]
    text = render_ticket(three.remote)
    (remote,) = parse(text).tickets
    family = RenderedFamily(issues_of(remote), FamilyText(remote, text, frozenset()), PATH)
    with closing(State(store.state_path)) as state:
        state.record("1", Base(PATH, render_ticket(three.base)), rows, seen=1.0)
        ((result,), error) = FamilyWriter(store, state, seen=2.0).write([family])
    assert error is None
    return store if result.written is WriteOutcome.CONFLICT else None


def content(store: Store) -> Content:
    with closing(sqlite3.connect(store.state_path)) as db:
        lines = [line for line in db.iterdump() if not line.startswith('INSERT INTO "undo"')]
    return Content((store.root / PATH).read_bytes(), lines)


def done(store: Store, action: Callable[[Store, State], object]) -> Content:
    """Do something in a workspace, and return what is in it then."""
    with closing(State(store.state_path)) as state, store.lock():
        action(store, state)
    return content(store)


def choose_and_carry_out(side: Literal["mine", "jira"]) -> Callable[[Store, State], object]:
    return lambda store, state: carry_out(
        store, state, choose_all(read_conflict(store, state, "AB-1"), side)
    )


def resolve_to(take: Take) -> Callable[[Store, State], object]:
    return lambda store, state: resolve(store, state, "AB-1", take)


@pytest.mark.unmeasured
@pytest.mark.parametrize("side", SIDES)
@some
@given(three=versions)
def test_all_of_one_side_is_resolved_to_that_side_and_taken_back(
    side: Literal["mine", "jira"], three: Versions
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = make_workspace(Path(folder, "one"), three)
        other = make_workspace(Path(folder, "other"), three)
        if store is None or other is None:
            event("nothing clashes")
            return
        before = content(store)

        chosen = done(store, choose_and_carry_out(side))
        taken = done(other, resolve_to(SIDES[side]))

        assert chosen == taken
        assert chosen.state != before.state
        assert done(store, undo_last) == done(other, undo_last) == before


@pytest.mark.unmeasured
@some
@given(three=versions)
def test_both_between_markers_are_taken_back(three: Versions) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = make_workspace(Path(folder, "one"), three)
        if store is None:
            event("nothing clashes")
            return
        before = content(store)

        marked = done(store, resolve_to(Take.BOTH))

        assert marked != before
        assert done(store, undo_last) == before
