"""Test what a completion reads out of a state file that a sync has written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ticketr.app import config
from ticketr.app.config import known_assignees, known_keys, known_statuses
from ticketr.app.config.state_names import MOST_TITLES
from ticketr.app.jira import Issue
from ticketr.app.sync import State, Store
from ticketr.app.sync.state.state import Base, IssueRow

COUNT = MOST_TITLES + 20


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"TICKETR_CONFIG_DIR": str(tmp_path / "config")}


@pytest.fixture
def root(tmp_path: Path, environ: dict[str, str]) -> Path:
    """Return a workspace that knows many issues."""
    folder = tmp_path / "work"
    mark = config.open_marks(config.config_folder(environ)).mark
    store = Store(folder, config.STATE_FOLDER, mark)
    store.prepare()
    state = State(store.state_path, mark)
    for number in range(1, COUNT + 1):
        fields = {
            "summary": f"Issue {number}",
            "status": {"name": "Done" if number % 2 else "To Do"},
            "assignee": {"displayName": "Zoë"} if number % 3 else None,
        }
        issue = Issue(str(number), f"AB-{number}", fields)
        row = IssueRow(issue, "", exact=True)
        state.record(str(number), Base(f"AB-{number}.md", "x"), [row], seen=0.0)
    state.close()
    return folder


def test_keys_come_in_the_order_of_their_numbers(root: Path, environ: dict[str, str]) -> None:
    found = known_keys(root, environ, "AB-")

    assert found == [(f"AB-{number}", "") for number in range(1, COUNT + 1)]


def test_few_keys_come_with_their_titles(root: Path, environ: dict[str, str]) -> None:
    assert known_keys(root, environ, "AB-8") == [("AB-8", "Issue 8"), ("AB-80", "Issue 80")]
    assert known_keys(root, environ, "AB-%") == []
    assert known_keys(root, environ, "XY") == []


def test_statuses_and_people_come_once(root: Path, environ: dict[str, str]) -> None:
    assert known_statuses(root, environ) == ["Done", "To Do"]
    assert known_assignees(root, environ) == ["Zoë"]


def test_a_folder_without_a_state_gives_nothing(tmp_path: Path, environ: dict[str, str]) -> None:
    assert known_keys(tmp_path, environ, "") == []
    config.open_marks(config.config_folder(environ))
    assert known_keys(tmp_path, environ, "") == []
    assert not (tmp_path / config.STATE_FOLDER).exists()


def test_a_file_of_somebody_else_gives_nothing(
    root: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    other = {"TICKETR_CONFIG_DIR": str(tmp_path / "other")}
    assert known_keys(root, other, "") == []
    config.open_marks(config.config_folder(other))
    assert known_keys(root, other, "") == []


@pytest.mark.parametrize(
    "change",
    [
        "CREATE VIEW v AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON issue BEGIN SELECT 1; END",
        "DROP TABLE issue",
    ],
)
def test_a_file_that_ticketr_has_not_made_so_gives_nothing(
    root: Path, environ: dict[str, str], change: str
) -> None:
    with sqlite3.connect(root / config.STATE_FOLDER / "state.db") as db:
        db.execute(change)
    db.close()

    assert known_keys(root, environ, "") == []


def test_a_link_or_what_is_no_database_gives_nothing(
    root: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    path = root / config.STATE_FOLDER / "state.db"
    away = path.rename(tmp_path / "away.db")
    path.symlink_to(away)
    assert known_keys(root, environ, "") == []
    path.unlink()
    path.write_text("no database")
    assert known_statuses(root, environ) == []
