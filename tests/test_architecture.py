from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import ticketr

PACKAGE = Path(ticketr.__file__).parent
#: Type checkers alone import typing_extensions, which they know without its being installed.
ALLOWED_IN_JOBS = {*sys.stdlib_module_names, "trio", "typing_extensions"}
#: What `import trio` itself may bring along.
TRIO_BRINGS = {"trio", "attr", "attrs", "idna", "outcome", "sniffio", "sortedcontainers", "cffi"}


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    return names


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "jobs").glob("**/*.py")), ids=lambda path: path.name
)
def test_the_library_imports_trio_and_the_standard_library_only(path: Path) -> None:
    own = ("ticketr.jobs", "ticketr._errors")

    foreign = {
        name
        for name in imports_of(path)
        if name.partition(".")[0] not in ALLOWED_IN_JOBS and not name.startswith(own)
    }

    assert foreign == set()


def test_the_rule_sees_a_foreign_import(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("import httpx\nfrom ticketr.sync import pull\nfrom . import _job\n")

    assert imports_of(path) == {"httpx", "ticketr.sync"}


def test_import_ticketr_loads_the_library_alone() -> None:
    program = (
        "import sys; before = set(sys.modules); from ticketr import *;"
        " print(*set(sys.modules) - before)"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()

    foreign = {name.partition(".")[0] for name in loaded}
    foreign -= {*sys.stdlib_module_names, *TRIO_BRINGS, "ticketr"}
    assert {name for name in foreign if not name.startswith(("_", "__editable"))} == set()
    inner = {name.split(".")[1] for name in loaded if name.startswith("ticketr.")}
    assert inner <= {"jobs", "_errors", "_version"}


def test_help_does_not_load_what_only_commands_need() -> None:
    program = (
        "import sys\nbefore = set(sys.modules)\nfrom ticketr.cli import main\n"
        "sys.argv = ['ticketr', '--help']\ntry: main()\nexcept SystemExit: pass\n"
        "print(*set(sys.modules) - before, file=sys.stderr)"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stderr.split()

    assert {"httpx", "starlette", "hypercorn", "marklas", "sqlite3"}.isdisjoint(loaded)
