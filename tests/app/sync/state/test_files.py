"""What the state knows of attached files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ticketr.app.sync.compare.sent_comments import SentComment
from ticketr.app.sync.state.database import MIGRATIONS
from ticketr.app.sync.state.journal import Creation
from ticketr.app.sync.state.state import AskedUpload, State

ASKED = AskedUpload("10", "d1", "a.png", 3, "me")


def test_an_upload_of_an_older_version_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript(";".join(MIGRATIONS[:9]))
        old.execute("INSERT INTO upload VALUES ('10', 'd1', 'a.png', 3, 'me', '[\"1\"]', '')")
        old.execute("PRAGMA user_version = 9")
        old.commit()

    with closing(State(path)) as state:
        assert state.uploads.of("10", "d1") == ASKED


def put_upload(state: State) -> None:
    state.uploads.put(ASKED)


def put_creation(state: State) -> None:
    state.creations.put(Creation("m", "DEMO", None, "A", "a.md", "# TICKET: A\n", 1, 0.0))


def put_comment(state: State) -> None:
    state.comments.put(SentComment("m", "10", "DEMO-1", "A", "{}", "me", after=1, sent=0.0))


@pytest.mark.parametrize("put", [put_upload, put_creation, put_comment])
def test_what_is_recorded_before_it_is_sent_survives_a_loss_of_power(
    state: State, put: Callable[[State], None]
) -> None:
    statements: list[str] = []
    state._db._db.set_trace_callback(statements.append)

    put(state)

    kept = [each for each in statements if each == "COMMIT" or each.startswith("PRAGMA")]
    assert kept == ["PRAGMA synchronous = FULL", "COMMIT", "PRAGMA synchronous = NORMAL"]
