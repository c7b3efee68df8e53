from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest

from ticketr.app.config import StateFolder, UnsafePath, require_database


@pytest.fixture
def own(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "work" / ".ticketr")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "bashrc"
    path.write_text("mine\n")
    return path


def test_it_is_made_with_its_parents_and_git_ignores_it(own: StateFolder) -> None:
    own.make()

    assert (own.path / ".gitignore").read_text() == "*\n"


def test_a_changed_gitignore_stays(own: StateFolder) -> None:
    own.path.mkdir(parents=True)
    (own.path / ".gitignore").write_text("!logs\n")

    own.make()

    assert (own.path / ".gitignore").read_text() == "!logs\n"


@pytest.mark.parametrize("is_there", [True, False])
def test_no_file_is_made_or_opened_through_a_link(
    is_there: bool, own: StateFolder, outside: Path
) -> None:
    own.path.mkdir(parents=True)
    if not is_there:
        outside.unlink()
    for name in (".gitignore", "lock"):
        (own.path / name).symlink_to(outside)

    with pytest.raises(UnsafePath, match=r"\.gitignore is a link and not a file"):
        own.make()
    with pytest.raises(UnsafePath, match=r"lock is a link and not a file"):
        own.open_file("lock", os.O_RDWR | os.O_CREAT)

    assert outside.exists() == is_there


@pytest.mark.parametrize("name", ["", "trash"])
def test_nothing_is_put_into_a_folder_that_is_a_link(name: str, own: StateFolder) -> None:
    elsewhere = own.path.parent.parent / "elsewhere"
    elsewhere.mkdir()
    link = own.path / name if name else own.path
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)

    for use in (
        own.make if not name else own.check,
        lambda: own.put_aside(["a.md"], "text"),
        lambda: own.open_file("lock", os.O_CREAT) if not name else own.check(),
    ):
        with pytest.raises(UnsafePath, match="is a link and not a folder"):
            use()

    assert list(elsewhere.iterdir()) == []


def test_a_text_is_put_aside_under_the_first_name_that_nothing_has(
    own: StateFolder, outside: Path
) -> None:
    (own.path / "trash").mkdir(parents=True)
    (own.path / "trash" / "0.md").symlink_to(outside)
    (own.path / "trash" / "1.md").symlink_to("nowhere")
    (own.path / "trash" / "2.md").write_text("older")

    path = own.put_aside((f"{number}.md" for number in count()), "text\n")

    assert path == own.path / "trash" / "3.md"
    assert path.read_text() == "text\n"
    assert outside.read_text() == "mine\n"
    assert not (own.path / "trash" / "nowhere").exists()


def test_a_text_that_cannot_be_put_aside_leaves_nothing(own: StateFolder) -> None:
    with pytest.raises(UnicodeEncodeError):
        own.put_aside(["a.md"], "\ud800")

    assert list((own.path / "trash").iterdir()) == []


@pytest.mark.parametrize("end", ["", "-wal", "-shm", "-journal"])
def test_a_database_is_refused_for_a_link_wherever_sqlite_would_follow_it(
    end: str, own: StateFolder, outside: Path
) -> None:
    own.make()
    (own.path / f"state.db{end}").symlink_to(outside)

    with pytest.raises(UnsafePath, match=rf"state\.db{end} is a link"):
        require_database(own.path / "state.db")
    with pytest.raises(UnsafePath, match=rf"state\.db{end} is a link"):
        own.check()


def test_hard_links_as_backups_make_them_are_no_matter(own: StateFolder, tmp_path: Path) -> None:
    own.make()
    (own.path / "state.db").write_bytes(b"")
    (tmp_path / "backup").hardlink_to(own.path / "state.db")

    own.check()
