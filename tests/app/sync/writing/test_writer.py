"""Files and state are written one after the other; a kill between them must cost nothing."""

from __future__ import annotations

import pytest

from ticketr.app.jira import Issue
from ticketr.app.sync.compare.mapping import Columns
from ticketr.app.sync.state.state import State
from ticketr.app.sync.workspace.store import Store
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.sync.writing.rendering import RenderedFamily, render_family
from ticketr.app.sync.writing.writer import FamilyWriter


def version(title: str) -> RenderedFamily:
    issue = Issue(id="1", key="DEMO-1", fields={"summary": title, "updated": title})
    return render_family(issue, (), Columns.of(()), path=None)


def killed_after_the_file(store: Store, state: State, family: RenderedFamily) -> None:
    """Write a file, and die before the state has it."""
    with pytest.MonkeyPatch.context() as patch:

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(State, "record", die)
        with pytest.raises(KeyboardInterrupt):
            FamilyWriter(store, state, seen=1.0).write([family])


@pytest.mark.parametrize("written_before", [False, True])
@pytest.mark.parametrize("kills", [1, 2])
def test_a_file_that_a_killed_pull_wrote_is_no_edit(
    kills: int, written_before: bool, store: Store, state: State
) -> None:
    writer = FamilyWriter(store, state, seen=1.0)
    if written_before:
        writer.write([version("First")])
    for number in range(kills):
        killed_after_the_file(store, state, version(f"Killed {number}"))

    (outcome,), error = writer.write([version("Last")])

    assert (outcome.written, error) == (WriteOutcome.UPDATED, None)
    assert "Last" in (store.root / "DEMO-1.md").read_text()
    assert state.intended("1") == []


def test_a_ticket_that_was_kept_leaves_no_text_that_would_count_as_ours(
    store: Store, state: State
) -> None:
    writer = FamilyWriter(store, state, seen=1.0)
    writer.write([version("First")])
    path = store.root / "DEMO-1.md"
    path.write_text("# TICKET: [DEMO-1] Mine\n")
    writer.write([version("Second")])
    assert state.intended("1") == []

    path.write_text(version("Second").text.text)  # taken over by hand, from wherever
    (outcome,), _ = writer.write([version("Third")])

    assert outcome.written is WriteOutcome.CONFLICT
    assert "Second" in path.read_text()


def test_an_edit_after_a_kill_is_still_an_edit(store: Store, state: State) -> None:
    killed_after_the_file(store, state, version("Killed"))
    path = store.root / "DEMO-1.md"
    path.write_text(path.read_text() + "Mine.\n")

    (outcome,), _ = FamilyWriter(store, state, seen=1.0).write([version("Last")])

    assert outcome.written is WriteOutcome.MERGED
    assert path.read_text() == version("Last").text.text + "\n## Description\nMine.\n"
