"""What tests of commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.users import User

from ticketr.sandbox import make_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def someone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """A user with an empty folder and a Jira of twelve issues."""
    return User(tmp_path / "work", make_site(tickets=12, seed=1), monkeypatch, capsys)
