"""Run mutmut over modules of the queue, and print the mutants that no test noticed.

mutmut changes one expression at a time in a copy and runs the selected tests that reach it, the
quickest first: those of the module's own file, then those of the contract. A survivor is a missing
test, or a change that makes no difference.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
JOBS = ROOT / "src" / "ticketr" / "jobs"
TESTS = ROOT / "tests" / "jobs"
FOLDER = ROOT / "build" / "mutants"

CONTRACT = ("test_against_model.py", "test_every_step.py", "test_random_programs.py")
"""The tests of what the queue promises, whichever module keeps it."""

UNCHANGED = (r"\braise \w",)
"""What mutmut leaves alone, as patterns of lines: the texts of errors."""


def chosen_modules(words: Sequence[str]) -> list[Path]:
    """Return the modules of the queue with one of these names, or in a package of that name."""
    names = {word.removesuffix(".py").strip("_") for word in words}
    return [
        path
        for path in sorted(JOBS.rglob("*.py"))
        if path.name != "__init__.py" and (not names or names & names_of(path))
    ]


def names_of(module: Path) -> set[str]:
    parts = module.relative_to(JOBS).with_suffix("").parts
    return {part.strip("_") for part in parts}


def files_of_tests(modules: Iterable[Path]) -> list[Path]:
    """Return the files of tests that are named after the modules, and those of the contract."""
    names = [module.stem.strip("_") for module in modules]
    patterns = [f"test_{name}{end}" for name in names for end in (".py", "_*.py")]
    return sorted({path for pattern in (*patterns, *CONTRACT) for path in TESTS.rglob(pattern)})


def settings(modules: Sequence[Path]) -> str:
    """Return mutmut's section of ``pyproject.toml``."""
    values = {
        "source_paths": ["src/ticketr"],
        "only_mutate": [str(path.relative_to(ROOT)) for path in modules],
        "do_not_mutate_patterns": UNCHANGED,
        "pytest_add_cli_args_test_selection": [
            str(path.relative_to(ROOT)) for path in files_of_tests(modules)
        ],
        "pytest_add_cli_args": ["--hypothesis-profile=mutants"],
        # How many times longer a mutant may take before it counts as endless, and so as noticed.
        "timeout_multiplier": 3,
        "timeout_constant": 5,
        "use_git_change_detection": False,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(("", "[tool.mutmut]", *lines, ""))


def copy_checkout(modules: Sequence[Path]) -> None:
    """Copy what mutmut needs, so that an interrupted run leaves nothing in the checkout."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    without_bytecode = shutil.ignore_patterns("__pycache__")
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, FOLDER / name, symlinks=True, ignore=without_bytecode)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    (FOLDER / "pyproject.toml").write_text(project + settings(modules), "utf-8")


def mutmut(*arguments: str) -> str:
    """Return what a command of mutmut prints about the last run."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, encoding="utf-8")
    return done.stdout


def survivors() -> Iterator[str]:
    """Yield a text for each mutant that no test noticed, and for each function without a test."""
    unreached: set[str] = set()
    for line in mutmut("results").splitlines():
        mutant, _, outcome = line.strip().rpartition(": ")
        if outcome == "survived":
            changes = re.findall(r"^[-+] .*", mutmut("show", mutant), re.MULTILINE)
            yield "\n".join((readable(mutant), *changes))
        elif outcome == "no tests" and (function := readable(mutant)) not in unreached:
            unreached.add(function)
            yield f"{function}: no test of these reaches it"


def readable(mutant: str) -> str:
    """Return the function of a mutant: ``jobs._retry.Retry.delay``."""
    name = re.sub(r"__mutmut_\d+$", "", mutant.removeprefix("ticketr."))
    return re.sub(r"\.x(_|ǁ)", ".", name).replace("ǁ", ".")


def main() -> None:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="module", help="retry, say; else all")
    words = parser.parse_args().modules
    if not (modules := chosen_modules(words)):
        sys.exit(f"no module of {JOBS.relative_to(ROOT)} is called {' or '.join(words)}")
    copy_checkout(modules)
    # mutmut's progress is no result.
    command = [sys.executable, "-m", "mutmut", "run"]
    run = subprocess.run(command, cwd=FOLDER, check=False, stdout=sys.stderr)
    if run.returncode:
        sys.exit(run.returncode)
    texts = list(survivors())
    sys.stdout.writelines(f"{text}\n\n" for text in texts)
    sys.stdout.write(f"{len(texts)} survived in {', '.join(path.stem for path in modules)}\n")


if __name__ == "__main__":
    main()
