"""Test state files that the user made and those that another user made."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest
from fakes.pulls import URL
from fakes.users import User

from jira_sandbox import make_site

#: A workspace without a mark: three tickets, DEMO-1 edited since, a draft with a lost request.
OLD = Path(__file__).with_name("old_workspace")
#: Every command that opens the state file.
COMMANDS = (
    *(("pull",), ("push",), ("push", "--dry-run"), ("sync",), ("status",), ("diff",)),
    *(("resolve",), ("resolve", "DEMO-1", "--take", "mine")),
    ("demo", "--tickets", "1", "--folder", "."),
)


def old_workspace(root: Path) -> Path:
    """Copy a workspace without a mark into a folder; return its state file."""
    for path in OLD.glob("*.md"):
        shutil.copy(path, root)
    (root / ".ticketr").mkdir()
    state = root / ".ticketr" / "state.db"
    with closing(sqlite3.connect(state)) as database:
        database.executescript((OLD / "state.sql").read_text())
    return state


def dump(state: Path) -> list[str]:
    """Return the content of a state file as SQL."""
    with closing(sqlite3.connect(state)) as database:
        return list(database.iterdump())


@pytest.fixture
def mia(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """Return a user with a site of the three issues of the old workspace."""
    return User(tmp_path / "work", make_site(tickets=3, seed=1), monkeypatch, capsys)


def configured(user: User, root: Path) -> None:
    """Write a config with a workspace."""
    folder = user.root.parent / "config"
    folder.mkdir(mode=0o700)
    path = folder / "config.toml"
    path.touch(mode=0o600)
    path.write_text(f'[workspaces.work]\nfolder = "{root}"\nsite = "{URL}"\n')


def check_upgraded(user: User) -> None:
    """Check that a push sends the edit and the draft from before the upgrade, each once."""
    pushed = user.runs("push", "--json")

    assert pushed.code == 0, pushed
    assert [each["key"] for each in pushed.json["updated"]] == ["DEMO-1"]
    assert user.finds("DEMO-1").summary == "Edited before the upgrade"
    assert [each.summary for each in user.site if each.number > 3] == ["Once"]
    assert user.reads("drafts.md").key == "DEMO-4"


def test_any_other_is_refused_with_the_way_out_which_keeps_edits_and_journal(mia: User) -> None:
    """This holds for the clone of a hostile repository whose site the user has confirmed, too."""
    state = old_workspace(mia.root)
    configured(mia, mia.root)
    before, files = dump(state), mia.files()

    for command in COMMANDS:
        told = mia.runs(*command)
        assert told.code == 2, (command, told)
        assert f"ticketr does not know that you made {state}" in told.err
        assert f"ticketr workspace trust --folder {mia.root}" in told.err
        assert f"move {state.parent} away" in told.err
    assert mia.asked == []
    assert (dump(state), mia.files()) == (before, files)

    trusted = mia.runs("workspace", "trust", "--folder", str(mia.root))
    again = mia.runs("workspace", "trust")

    assert (trusted.code, again.code) == (0, 0)
    assert (
        trusted.out == f"{mia.root} is yours now; 'ticketr status' lists what a push would send\n"
    )
    assert again.out.endswith("there is nothing to do\n")
    check_upgraded(mia)


def test_a_state_file_replaced_by_git_is_refused(mia: User) -> None:
    """Git replaces an ignored file silently."""
    configured(mia, mia.root)
    assert mia.runs("pull").code == 0
    state = mia.root / ".ticketr" / "state.db"
    with closing(sqlite3.connect(state)) as database:
        database.execute("DELETE FROM mark")
        database.execute("INSERT INTO mark VALUES (?)", ("a" * 64,))
        database.commit()

    told = mia.runs("push")

    assert told.code == 2
    assert "does not know that you made" in told.err


def test_a_state_file_may_move_with_its_folder_and_be_that_of_several_users(
    mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mia.runs("pull").code == 0
    moved = str(mia.root.rename(mia.root.parent / "moved"))
    assert mia.runs("status", "--folder", moved).code == 0

    with monkeypatch.context() as patch:
        patch.setenv("TICKETR_CONFIG_DIR", str(mia.root.parent / "ben"))
        assert mia.runs("status", "--folder", moved).code == 2
        assert mia.runs("workspace", "trust", "-C", moved).code == 0
        assert mia.runs("status", "--folder", moved).code == 0

    assert mia.runs("status", "--folder", moved).code == 0


def test_an_empty_file_is_nobodys(mia: User) -> None:
    (mia.root / ".ticketr").mkdir()
    (mia.root / ".ticketr" / "state.db").touch()

    assert mia.runs("pull").code == mia.runs("status").code == 0


def test_to_ask_how_things_stand_makes_nothing_where_there_is_no_state_file(mia: User) -> None:
    for command in ("status", "diff", "resolve", "jobs"):
        assert mia.runs(command).code == 0

    assert not (mia.root / ".ticketr").exists()
    assert not (mia.root.parent / "config").exists()


def test_where_no_mark_can_be_kept_a_pull_says_what_to_do_and_writes_nothing(
    mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = mia.root.parent / "nowhere"
    config.symlink_to("gone/away")
    monkeypatch.setenv("TICKETR_CONFIG_DIR", str(config))

    told = mia.runs("pull")

    assert told.code == 1
    assert f"cannot make {config}: " in told.err
    assert "let TICKETR_CONFIG_DIR name a folder that can be written" in told.err
    assert not (mia.root / ".ticketr").exists()

    monkeypatch.setenv("TICKETR_CONFIG_DIR", str(mia.root.parent / "config"))
    assert mia.runs("pull").code == 0


def hostile_schemas() -> list[str]:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    return [
        *(f"CREATE VIEW {name} AS {endless}" for name in ("issue", "mark", "jobs")),
        f"CREATE TABLE mark (value); CREATE TRIGGER t AFTER INSERT ON mark BEGIN {endless}; END",
    ]


@pytest.mark.parametrize("schema", hostile_schemas())
@pytest.mark.parametrize("name", ["state.db", "history.db"])
def test_a_database_that_would_run_something_is_refused(name: str, schema: str, mia: User) -> None:
    (mia.root / ".ticketr").mkdir()
    with closing(sqlite3.connect(mia.root / ".ticketr" / name)) as database:
        database.executescript(schema)

    told = mia.runs("status" if name == "state.db" else "jobs")

    assert told.code == 1
    assert "triggers or views, which" in told.err


@pytest.mark.parametrize("is_trusted", [False, True])
def test_a_trigger_in_a_state_file_never_runs(is_trusted: bool, mia: User) -> None:
    assert mia.runs("pull").code == 0
    state = mia.root / ".ticketr" / "state.db"
    with closing(sqlite3.connect(state)) as database:
        tables = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith("sqlite_")
        ]
        database.execute("CREATE TABLE ran (value)")
        for table, change in product(tables, ("INSERT", "UPDATE", "DELETE")):
            database.execute(
                f"CREATE TRIGGER {table}_{change} AFTER {change} ON {table} "
                f"BEGIN INSERT INTO ran VALUES ('{table}'); END"
            )
        if is_trusted:  # a clone of somebody else's workspace, and its user believes it
            database.execute("DELETE FROM mark")
            database.execute("DELETE FROM ran")
        database.commit()
    mia.site.edit("DEMO-1", summary="Theirs")

    told = [mia.runs(*words) for words in (("workspace", "trust"), *COMMANDS[:-1])]

    with closing(sqlite3.connect(state)) as database:
        assert database.execute("SELECT value FROM ran").fetchall() == []
    assert told[1].code == 1
    assert "it holds triggers or views, which no ticketr has made" in told[1].err


@pytest.mark.parametrize("has_own_state", [False, True])
def test_a_history_that_another_user_made_is_refused_until_it_is_trusted(
    has_own_state: bool, mia: User
) -> None:
    own = mia.root / ".ticketr"
    assert mia.runs("pull").code == 0
    history = (own / "history.db").read_bytes()
    shutil.rmtree(own)
    (mia.root.parent / "config" / "marks.toml").unlink()
    if has_own_state:
        assert mia.runs("pull").code == 0
        for path in own.glob("history.db*"):
            path.unlink()
    own.mkdir(exist_ok=True)
    (own / "history.db").write_bytes(history)
    mia.asked.clear()

    for command in (("pull",), ("sync", "--yes"), ("push", "--dry-run"), ("jobs",)):
        told = mia.runs(*command)
        assert told.code == 2, (command, told)
        assert f"ticketr does not know that you made {own / 'history.db'}" in told.err
        assert mia.asked == []
    assert (own / "history.db").read_bytes() == history
    assert "is yours now" in mia.runs("workspace", "trust").out

    assert mia.runs("pull").code == 0
    assert len(mia.runs("jobs").out.splitlines()) == 2


@pytest.mark.parametrize("strategy", ["local", "remote"])
def test_a_committed_strategy_sends_nothing_where_no_last_sync_is_known(
    strategy: str, mia: User
) -> None:
    shutil.copy(OLD / "DEMO-1.md", mia.root)
    mia.writes("ticketr.toml", f'[sync]\nstrategy = "{strategy}"\n')
    before = mia.finds("DEMO-1").summary

    codes = [mia.runs(*words).code for words in (("sync",), ("pull",), ("sync",), ("push", "-y"))]

    assert mia.finds("DEMO-1").summary == before
    assert codes == ([3, 3, 3, 3] if strategy == "local" else [0, 0, 0, 0])
    said = mia.runs("sync", "--strategy", "mine")
    assert said.code == 0
    theirs = "Edited before the upgrade" if strategy == "local" else before
    assert mia.finds("DEMO-1").summary == theirs


def test_a_committed_strategy_counts_where_the_last_sync_is_the_users(mia: User) -> None:
    mia.writes("ticketr.toml", '[sync]\nstrategy = "local"\n')
    mia.runs("pull")
    mia.retitles("DEMO-1", "Mine")
    mia.site.edit("DEMO-1", summary="Theirs")

    assert mia.runs("sync").code == 0

    assert mia.finds("DEMO-1").summary == "Mine"


def test_a_file_that_was_never_in_step_is_no_edit_after_a_kill_either(
    mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(OLD / "DEMO-1.md", mia.root)
    before = mia.finds("DEMO-1").summary

    class Killed(BaseException):
        """Ends the pull in the middle of its writes."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("ticketr.app.sync.workspace.editor.FileEditor.replace_if_unchanged", die)
        assert mia.runs("pull").code == 1
    told = mia.runs("sync")

    assert told.code == 3, told
    assert mia.finds("DEMO-1").summary == before
