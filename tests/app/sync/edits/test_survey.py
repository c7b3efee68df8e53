"""Test what a survey leaves out because of files that cannot be read."""

from __future__ import annotations

import pytest
import trio
from fakes.pulls import inline
from fakes.stores import put
from fakes.unlisted import forbid_folder

from ticketr.app.jira import Issue
from ticketr.app.sync.edits.survey import LocalSurvey, take_survey
from ticketr.app.sync.state.state import Base, IssueRow, State
from ticketr.app.sync.workspace.store import Store


def record(state: State, key: str, path: str) -> None:
    number = key.rpartition("-")[2]
    row = IssueRow(Issue(number, key, {}), updated="", exact=True)
    state.record(number, Base(path, f"# TICKET: [{key}] x\n"), [row], seen=0.0)


def survey(store: Store, state: State) -> LocalSurvey:
    async def take() -> LocalSurvey:
        return await take_survey(store, state, inline, recent=())

    return trio.run(take)


@pytest.mark.parametrize("broken", ["0.md", "z.md"])
def test_an_edit_whose_key_is_in_a_broken_file_too_is_left_out(
    store: Store, state: State, broken: str
) -> None:
    record(state, "DEMO-1", "b.md")
    record(state, "DEMO-3", "b.md")
    put(store, "b.md", "# TICKET: [DEMO-1] mine\n\n# TICKET: [DEMO-3] mine\n")
    put(store, broken, "<<<<<<< HEAD\n# TICKET: [DEMO-1] x\n")

    found = survey(store, state)

    assert [each.name for each in found.local_changes] == ["DEMO-3"]
    assert set(found.broken) == {broken, "b.md"}
    assert "which cannot be read" in str(found.broken["b.md"])


def test_a_draft_like_a_ticket_in_a_broken_file_is_a_copy(store: Store, state: State) -> None:
    record(state, "DEMO-1", "a.md")
    put(store, "a.md", "# TICKET: x\n")
    assert set(survey(store, state).broken) == {"a.md"}  # its key seems to be lost

    put(store, "b.md", "# TICKET: [DEMO-1] x\n<<<<<<< HEAD\n")

    found = survey(store, state)
    assert set(found.broken) == {"b.md"}
    assert [each.name for each in found.local_changes] == ['draft "x"']


def test_a_folder_that_cannot_be_listed_is_named_and_its_tickets_are_not_missing(
    store: Store, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(state, "DEMO-1", "sprint/a.md")
    put(store, "sprint/a.md", "# TICKET: [DEMO-1] x\n")
    forbid_folder(monkeypatch, store.root / "sprint")

    found = survey(store, state)

    assert (found.missing(state), set(found.broken)) == ({}, {"sprint"})
