from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ticketr.app.sync.compare.diff import CorePart
from ticketr.app.sync.state import database
from ticketr.app.sync.state.database import MIGRATIONS
from ticketr.app.sync.state.journal import Creation
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
