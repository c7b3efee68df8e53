"""Test the packages that import their modules when a name is looked up for the first time."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

DOORS = ["ticketr.app.jira", "ticketr.app.jira.adf", "ticketr.app.sync"]
#: What a package imports for its own annotations.
PRIVATE = {"DroppedPiece", "UnconvertedPiece"}


@pytest.mark.parametrize("name", DOORS)
def test_every_public_name_is_there(name: str) -> None:
    package = import_module(name)

    for each in package.__all__:
        assert getattr(package, each) is not None
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.parametrize("name", DOORS)
def test_a_name_comes_from_the_module_that_type_checkers_know(name: str) -> None:
    package = import_module(name)
    assert package.__file__ is not None
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    block = next(each for each in tree.body if isinstance(each, ast.If))
    known = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(name)
        for alias in node.names
        if alias.name not in PRIVATE
    }
    homes = {each: f"{name}.{home}" for each, home in package._HOMES.items()}

    assert homes == known, "add the name to _NAMES or _HOMES, too"


@pytest.mark.parametrize("name", DOORS)
def test_no_module_hides_a_public_name(name: str) -> None:
    package = import_module(name)
    modules = {each.stem for path in package.__path__ for each in Path(path).iterdir()}

    assert modules.isdisjoint(package.__all__)


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
