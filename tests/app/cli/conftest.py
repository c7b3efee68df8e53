"""Fixtures of the tests of commands."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.users import User

from jira_sandbox import make_site


@pytest.fixture
def someone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> User:
    """Return a user with an empty folder and a site of twelve issues."""
    return User(tmp_path / "work", make_site(tickets=12, seed=1), monkeypatch, capsys)
