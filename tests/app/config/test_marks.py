from __future__ import annotations

from pathlib import Path

import pytest

from ticketr.app.config import BadFile, NotPrivate, WorkspaceEntry, note_marked, open_marks
from ticketr.app.config.config_edits import store_workspace

SITE = "https://acme.atlassian.net"


def configured(folder: Path, *roots: Path) -> None:
    """Write a config as a version without marks did."""
    folder.mkdir(parents=True, mode=0o700)
    path = folder / "config.toml"
    path.touch(mode=0o600)
    lines = [f'[workspaces.w{root.name}]\nfolder = "{root}"\nsite = "{SITE}"\n' for root in roots]
    path.write_text("".join(lines))


def test_a_mark_is_made_once_for_the_user_alone_and_in_no_repr(folder: Path) -> None:
    marks = open_marks(folder)

    assert open_marks(folder) == marks
    assert len(marks.mark) == 64
    assert marks.mark not in repr(marks)
    assert (folder / "marks.toml").stat().st_mode & 0o777 == 0o600
    assert open_marks(folder.with_name("another")).mark != marks.mark


def test_workspaces_of_the_config_are_known_until_they_are_marked(
    folder: Path, tmp_path: Path
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    (tmp_path / "link").symlink_to(one)
    configured(folder, one, two)

    marks = open_marks(folder)
    assert [marks.is_older(each) for each in (one, tmp_path / "link", two)] == [True] * 3
    assert not marks.is_older(tmp_path)

    note_marked(folder, tmp_path / "link")

    marks = open_marks(folder)
    assert [marks.is_older(each) for each in (one, two)] == [False, True]


def test_a_workspace_that_is_added_is_none_of_those_from_before(
    folder: Path, tmp_path: Path
) -> None:
    store_workspace(folder, WorkspaceEntry("clone", tmp_path, SITE))

    assert open_marks(folder).unmarked == ()


@pytest.mark.parametrize("text", ["", "mark = 1\n", 'mark = "abc"\n', 'marks = "a"\n', "="])
def test_an_invalid_mark_is_refused_and_not_shown(text: str, folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    (folder / "marks.toml").touch(mode=0o600)
    (folder / "marks.toml").write_text(text)

    with pytest.raises(BadFile, match=r"marks\.toml") as caught:
        open_marks(folder)

    assert "abc" not in str(caught.value)


def test_a_mark_that_others_can_read_is_refused(folder: Path) -> None:
    open_marks(folder)
    (folder / "marks.toml").chmod(0o644)

    with pytest.raises(NotPrivate):
        open_marks(folder)
