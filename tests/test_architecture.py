from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.processes import unmeasured

import ticketr

PACKAGE = Path(ticketr.__file__).parent
#: Type checkers alone import typing_extensions, which they know without its being installed.
ALLOWED_IN_JOBS = {*sys.stdlib_module_names, "trio", "typing_extensions"}
#: What `import trio` itself may bring along.
TRIO_BRINGS = {"trio", "attr", "attrs", "idna", "outcome", "sniffio", "sortedcontainers", "cffi"}

#: What takes as long to import as click, and more.
SLOW = {"trio", "httpx", "blessed", "wcwidth", "starlette", "hypercorn", "marklas", "tomlkit"}


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    return names


@pytest.mark.parametrize(
    "path",
    sorted((PACKAGE / "jobs").glob("**/*.py")),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_the_library_imports_trio_and_the_standard_library_only(path: Path) -> None:
    own = ("ticketr.jobs", "ticketr._errors")

    foreign = {
        name
        for name in imports_of(path)
        if name.partition(".")[0] not in ALLOWED_IN_JOBS and not name.startswith(own)
    }

    assert foreign == set()


def test_import_ticketr_loads_the_library_alone() -> None:
    program = (
        "import sys; before = set(sys.modules); from ticketr import *;"
        " print(*set(sys.modules) - before)"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env=unmeasured(),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    foreign = {name.partition(".")[0] for name in loaded}
    foreign -= {*sys.stdlib_module_names, *TRIO_BRINGS, "ticketr"}
    assert {name for name in foreign if not name.startswith(("_", "__editable"))} == set()
    inner = {name.split(".")[1] for name in loaded if name.startswith("ticketr.")}
    assert inner <= {"jobs", "_errors", "_version"}
    needed_with_a_file_alone = {"sqlite3", "pickle", "ticketr.jobs._sqlite.writer"}
    assert needed_with_a_file_alone.isdisjoint(loaded)


COMPLETE = {"_TICKETR_COMPLETE": "fish_complete"}


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["--version"], {}),
        (["--help"], {}),
        (["pull", "--help"], {}),
        (["workspace", "add", "--help"], {}),
        ([], {**COMPLETE, "COMP_WORDS": "ticketr pu", "COMP_CWORD": "pu"}),
        ([], {**COMPLETE, "COMP_WORDS": "ticketr show DE", "COMP_CWORD": "DE"}),
        ([], {**COMPLETE, "COMP_WORDS": "ticketr list status=", "COMP_CWORD": "status="}),
        ([], {**COMPLETE, "COMP_WORDS": "ticketr pull -w x", "COMP_CWORD": "x"}),
        ([], {**COMPLETE, "COMP_WORDS": "ticketr sync --st", "COMP_CWORD": "--st"}),
    ],
)
def test_help_and_completion_load_neither_trio_nor_what_only_commands_need(
    arguments: list[str], environ: dict[str, str]
) -> None:
    program = (
        "import sys\nbefore = set(sys.modules)\nfrom ticketr.app.cli import main\n"
        "sys.argv[0] = 'ticketr'\ntry: main()\nexcept SystemExit: pass\n"
        "print(*set(sys.modules) - before, file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=unmeasured() | environ,
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout
    assert SLOW.isdisjoint(done.stderr.split())
