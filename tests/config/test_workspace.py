from __future__ import annotations

from typing import TYPE_CHECKING

from ticketr.config import find_root

if TYPE_CHECKING:
    from pathlib import Path


def test_a_workspace_is_found_upwards(tmp_path: Path) -> None:
    (tmp_path / ".ticketr").mkdir()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)

    assert find_root(inner) == tmp_path
