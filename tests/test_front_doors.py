"""Test the packages that import their modules when a name is looked up for the first time."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

DOORS = ["ticketr.app.jira", "ticketr.app.jira.adf", "ticketr.app.sync"]


@pytest.mark.parametrize("name", DOORS)
def test_every_public_name_is_there(name: str) -> None:
    package = import_module(name)

    for each in package.__all__:
        assert getattr(package, each) is not None
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing


def loaded(statement: str) -> set[str]:
    """Return what is imported when a statement has run in a process of its own."""
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_a_status_imports_neither_http_nor_the_converter_nor_a_push() -> None:
    names = loaded("from ticketr.app.sync import read_state, take_survey, read_push_plan")

    assert names.isdisjoint({"httpx", "marklas", "ticketr.jobs", "ticketr.app.sync.push.push"})


def test_httpx_comes_without_its_command_line_and_is_whole() -> None:
    statement = (
        "from ticketr.app.jira.transport._httpx import HttpxTransport\n"
        "import httpx; assert httpx.AsyncClient and callable(httpx.main)"
    )
    names = loaded(statement)

    assert "httpx" in names
    assert names.isdisjoint({"httpx._main", "rich", "pygments"})


def test_httpx_that_is_there_already_is_taken() -> None:
    statement = (
        "import httpx\nfrom ticketr.app.jira.transport import _lean_httpx\n"
        "assert _lean_httpx.httpx is httpx"
    )

    assert "httpx" in loaded(statement)
