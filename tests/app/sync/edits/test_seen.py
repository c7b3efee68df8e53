"""Test which files need not be read again to be compared with the last sync."""

from __future__ import annotations

import pytest
from fakes.stores import put

from ticketr.app.jira import Issue
from ticketr.app.sync.edits.survey import LocalSurvey, SeenTicket, base_texts, digest, seen_ticket
from ticketr.app.sync.state.state import Base, IssueRow, State
from ticketr.app.sync.workspace.files import comparable
from ticketr.app.sync.workspace.store import Store
from ticketr.app.tickets import Ticket, render

TASK = Ticket(title="Task", key="DEMO-2")
TEXT = render([Ticket(title="A", key="DEMO-1", tasks=(TASK,))])
BASES = {"DEMO-1": comparable(TEXT)}


def seen(store: Store, name: str, text: str) -> list[SeenTicket]:
    put(store, name, text)
    return [found for local in store.local(name) if (found := seen_ticket(local)) is not None]


def test_a_ticket_is_seen_with_its_keys_and_a_draft_is_not(store: Store) -> None:
    (ticket,) = seen(store, "a.md", TEXT)
    (same,) = seen(store, "b.md", TEXT.replace("\n", "\r\n"))
    (other,) = seen(store, "c.md", TEXT.replace("Task", "Other"))

    assert ticket.keys == ("DEMO-1", "DEMO-2")
    assert ticket == same
    assert ticket.digest != other.digest
    assert seen(store, "d.md", "# TICKET: Draft\n") == []


@pytest.mark.parametrize("is_known", [True, False])
def test_a_file_is_skipped_if_it_is_as_at_the_last_sync(store: Store, is_known: bool) -> None:
    found = seen(store, "a.md", TEXT)
    survey = LocalSurvey(BASES if is_known else {"DEMO-1": comparable(f"{TEXT}more")})

    assert survey.skip("a.md", found) == is_known
    assert sorted(survey.keys) == (["DEMO-1", "DEMO-2"] if is_known else [])


def test_a_file_is_not_skipped_if_another_one_has_its_key(store: Store, state: State) -> None:
    found = seen(store, "a.md", TEXT)
    good, broken = LocalSurvey(BASES), LocalSurvey(BASES)
    good.scan(store, state, put(store, "b.md", "# TICKET: [DEMO-2] B\n"))
    broken.scan(store, state, put(store, "c.md", "# TICKET: [DEMO-2] B\n<<<<<<< HEAD\n"))

    assert not good.skip("a.md", found)
    assert not broken.skip("a.md", found)


def test_a_key_of_a_skipped_file_in_another_one_is_reported(store: Store, state: State) -> None:
    found = seen(store, "a.md", TEXT)
    survey = LocalSurvey(BASES)
    survey.skip("a.md", found)

    scanned = survey.scan(store, state, put(store, "b.md", "# TICKET: [DEMO-2] B\n"))

    assert str(scanned.error) == "DEMO-2 is in a.md and in b.md; keep one of them"


def test_the_last_sync_gives_the_text_of_each_ticket(store: Store, state: State) -> None:
    assert base_texts(state) == {}
    (ticket,) = seen(store, "a.md", TEXT)
    row = IssueRow(Issue("1", "DEMO-1", {}), updated="", exact=True)
    state.record("1", Base("a.md", f"{TEXT}\n\n"), [row], seen=0.0)

    bases = base_texts(state)
    assert bases == BASES
    assert digest(bases["DEMO-1"]) == ticket.digest


def test_a_ticket_as_at_the_last_sync_costs_no_query(
    store: Store, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "a.md", TEXT)
    row = IssueRow(Issue("1", "DEMO-1", {}), updated="", exact=True)
    state.record("1", Base("a.md", TEXT), [row], seen=0.0)
    bases = base_texts(state)
    asked: list[str] = []
    ask = state.base_of_key

    def asking(key: str) -> tuple[str, Base] | None:
        asked.append(key)
        return ask(key)

    monkeypatch.setattr(state, "base_of_key", asking)
    survey = LocalSurvey(bases)

    survey.scan(store, state, store.root / "a.md")
    assert (asked, survey.local_changes) == ([], [])

    edited = LocalSurvey(bases)
    edited.scan(store, state, put(store, "a.md", TEXT.replace("] A", "] B")))
    assert asked == ["DEMO-1"]
    assert [each.edits.keys() for each in edited.local_changes] == [{"DEMO-1"}]
