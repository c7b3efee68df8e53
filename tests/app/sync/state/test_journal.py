from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ticketr.app.sync.compare.diff import CorePart
from ticketr.app.sync.compare.sent import SentValue
from ticketr.app.sync.state import database
from ticketr.app.sync.state.database import MIGRATIONS
from ticketr.app.sync.state.journal import REMEMBERED, Creation
from ticketr.app.sync.state.state import Base, State
from ticketr.app.tickets import Ticket

ASKED = Creation(
    marker="m1",
    project="DEMO",
    parent=None,
    title="Once",
    path="drafts.md",
    draft="# TICKET: Once\n",
    after=12,
    sent=1000.0,
)
MADE = replace(ASKED, id="10013", key="DEMO-13")


def test_what_was_asked_for_is_there_until_its_key_is_in_its_file(state: State) -> None:
    state.creations.put(ASKED)
    assert (state.creations.all(), state.creations.recently_written()) == ([ASKED], [])

    state.creations.put(MADE)
    assert (state.creations.all(), state.creations.recently_written()) == ([MADE], [])

    state.creations.mark_written(MADE, "moved.md", now=1001.0)
    assert state.creations.all() == []
    assert state.creations.recently_written() == [replace(MADE, path="moved.md")]


def test_what_is_settled_is_forgotten_after_a_while(state: State) -> None:
    later = replace(MADE, marker="m2", sent=2000.0)
    for each in (MADE, later):
        state.creations.put(each)
    state.creations.mark_written(MADE, MADE.path, now=1000.0)

    state.creations.mark_written(later, later.path, now=1000.0 + REMEMBERED)
    assert state.creations.recently_written() == [MADE, later]

    state.creations.mark_written(later, later.path, now=1001.0 + REMEMBERED)
    assert state.creations.recently_written() == [later]


def test_what_never_came_to_be_is_forgotten_at_once(state: State) -> None:
    state.creations.put(ASKED)

    state.creations.forget(ASKED.marker)

    assert state.creations.all() == []


def old_state(path: Path) -> None:
    """Write what the second version of the schema had."""
    with closing(sqlite3.connect(path)) as old:
        old.executescript(f"{MIGRATIONS[0]};{MIGRATIONS[1]}; PRAGMA user_version = 2;")
        old.execute(
            "INSERT INTO creation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ("m1", "DEMO", None, "Once", "drafts.md", "# TICKET: Once\n", 12, 1000.0, None, None),
        )
        old.commit()


def test_an_older_version_s_unsettled_issues_are_still_unsettled(tmp_path: Path) -> None:
    old_state(tmp_path / "state.db")

    with closing(State(tmp_path / "state.db")) as state:
        assert state.creations.all() == [ASKED]


def test_what_an_older_version_has_sent_is_known_by_its_text(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "state.db")) as old:
        scripts = ";".join(MIGRATIONS[:4])
        old.executescript(f"{scripts}; PRAGMA user_version = 4;")
        old.execute("INSERT INTO ticket VALUES ('1', 'a.md', '# TICKET: [DEMO-1] x')")
        whole = "# TICKET: [DEMO-1] y\n\n## Fields\nLabels: b, a\n"
        old.execute("INSERT INTO sent VALUES ('1', 'DEMO-1', ?)", (whole,))
        old.commit()

    with closing(State(tmp_path / "state.db")) as state:
        found = {each.part: each for each in state.sent.of("1")["DEMO-1"]}
        assert state.base("1") == Base("a.md", "# TICKET: [DEMO-1] x")
        state.sent.forget("1")
        assert state.sent.of("1") == {}
    assert (found[CorePart.TITLE].text, found["Labels"].text) == ("y", "b, a")
    there = Ticket("y", "DEMO-1", fields={"Labels": "a, b"})
    assert found[CorePart.TITLE].is_in(there, {})
    assert not found["Labels"].is_in(there, {"labels": ["a", "b"]})


TITLE = SentValue(CorePart.TITLE, "a", "summary", "a")
LABELS = SentValue("Title", "b, a", "labels", ["b", "a"])  # a field may have that name, too


def test_what_was_sent_is_known_part_by_part(state: State) -> None:
    state.sent.put("1", "A-1", [TITLE, LABELS])
    state.sent.put("1", "A-1", [TITLE])
    state.sent.put("1", "A-2", [TITLE])
    state.sent.put("2", "B-1", [LABELS])

    found = state.sent.of("1")
    assert {key: {each.name: each for each in found[key]} for key in found} == {
        "A-1": {"#TITLE": TITLE, "Title": LABELS},
        "A-2": {"#TITLE": TITLE},
    }
    state.sent.withdraw("1", "A-1", [replace(TITLE, value="b"), LABELS])
    assert state.sent.of("1") == {"A-1": [TITLE], "A-2": [TITLE]}
    state.forget("1")
    assert (state.sent.of("1"), state.sent.of("2")) == ({}, {"B-1": [LABELS]})
    state.site_record.claim_site("https://b.example")
    assert state.sent.of("2") == {}


def test_what_jira_has_confirmed_takes_the_place_of_what_was_sent_before(state: State) -> None:
    newer = SentValue(CorePart.TITLE, "b", "summary", "b")
    state.sent.put("1", "A-1", [TITLE, LABELS])
    state.sent.put("1", "A-2", [TITLE])

    state.sent.confirm("1", "A-1", [newer])

    assert sorted(state.sent.of("1")["A-1"], key=lambda each: each.name) == [newer, LABELS]
    assert state.sent.of("1")["A-2"] == [TITLE]


def test_two_processes_may_meet_an_old_state_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.db"
    old_state(path)

    class Overtaken(tuple[str, ...]):
        """Scripts that another process has run when they are about to be run."""

        __slots__ = ()

        def __getitem__(self, at: Any) -> Any:
            monkeypatch.undo()
            State(path).close()
            return MIGRATIONS[at]

    monkeypatch.setattr(database, "MIGRATIONS", Overtaken(MIGRATIONS))

    with closing(State(path)) as state:
        assert state.creations.all() == [ASKED]
