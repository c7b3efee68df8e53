from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.config import find_workspace

if TYPE_CHECKING:
    from pathlib import Path


def test_a_workspace_is_found_upwards(tmp_path: Path) -> None:
    (tmp_path / ".ticketr").mkdir()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)

    assert find_workspace(inner) == tmp_path


def test_the_nearest_workspace_wins(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    for folder in (tmp_path, inner):
        (folder / ".ticketr").mkdir(parents=True)

    assert find_workspace(inner) == inner


def test_without_any_the_folder_itself_becomes_one(tmp_path: Path) -> None:
    assert find_workspace(tmp_path) == tmp_path
