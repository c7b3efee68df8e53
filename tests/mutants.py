"""Run cosmic-ray over modules of the queue, and print the mutants that no test noticed.

cosmic-ray changes one expression at a time in a copy, and runs the tests in a process that a limit
of time ends: first the quick files, those named after the module before the others; then, for what
has survived, the slow ones. A survivor is a missing test, or a change that makes no difference.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, WorkItem

ROOT = Path(__file__).parent.parent
JOBS = ROOT / "src" / "ticketr" / "jobs"
TESTS = ROOT / "tests" / "jobs"
FOLDER = ROOT / "build" / "mutants"
TIME_LIMIT = 600
"""Seconds that the tests of a mutant may take; what takes longer is noticed."""

SLOW = [
    "against_model",
    "cancelled_around",
    "every_step",
    "growth",
    "interrupts",
    "random_programs",
    "sendable",
    "signals",
    "soak",
    "store_against_model",
    "store_ends",
    "store_file",
    "unexpected_values",
]
"""The files of tests that kill processes, use the real clock or try many cases."""

OPERATORS = re.compile(
    r"""core/(?:
    AddNot | ExceptionReplacer | NumberReplacer | RemoveDecorator | ZeroIterationForLoop
    | Replace(?:TrueWithFalse | FalseWithTrue | AndWithOr | OrWithAnd)
    | Replace(?:BreakWithContinue | ContinueWithBreak)
    | ReplaceUnaryOperator_(?:Delete_Not | USub_UAdd)
    | ReplaceComparisonOperator_(?:Is_IsNot | IsNot_Is | Eq_NotEq | NotEq_Eq)
    | ReplaceComparisonOperator_(?:Lt_LtE | LtE_Lt | Gt_GtE | GtE_Gt)
    | ReplaceBinaryOperator_(?:Add_Sub | Sub_Add | Mul_Div | Div_Mul | FloorDiv_Mul | Pow_Mul)
    )""",
    re.VERBOSE,
)
"""One change for each operator; cosmic-ray has each for each, which finds no more."""

POINTLESS = re.compile(r"@(?:final|overload)\b|TYPE_CHECKING\b|[*/]+[^*/ ]")
"""What a change leaves as it is: what is for type checkers, and the marks of parameters, which
cosmic-ray takes for operators."""


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


def rounds_of_tests(module: Path) -> tuple[list[str], list[str]]:
    """Return the quick files of tests, those named after the module first, and the slow ones."""
    own = f"test_{module.stem.strip('_')}"
    names = sorted(path.stem for path in TESTS.glob("test_*.py"))
    names.sort(key=lambda name: not name.startswith(own))
    slow = [f"test_{name}" for name in SLOW]
    return [name for name in names if name not in slow], slow


def copy_checkout() -> None:
    """Copy what the tests need, so that an interrupted run leaves nothing in the checkout."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    without_bytecode = shutil.ignore_patterns("__pycache__")
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, FOLDER / name, symlinks=True, ignore=without_bytecode)
    shutil.copy(ROOT / "pyproject.toml", FOLDER)


def possible_mutants(modules: Iterable[Path]) -> list[WorkItem]:
    """Return the changes that cosmic-ray can make and that may make a difference, in a fixed order."""
    with use_db(FOLDER / "mutants.sqlite") as database:
        init([module.relative_to(ROOT) for module in modules], database, {})
        items = [item for item in database.work_items if is_worth_a_run(item.mutations[0])]
    return sorted(items, key=position)


def position(item: WorkItem) -> tuple[str, tuple[int, int], str, int]:
    change = item.mutations[0]
    return str(change.module_path), change.start_pos, change.operator_name, change.occurrence


def is_worth_a_run(change: MutationSpec) -> bool:
    line, column = change.start_pos
    text = (FOLDER / change.module_path).read_text("utf-8").splitlines()[line - 1]
    return bool(OPERATORS.fullmatch(change.operator_name)) and not POINTLESS.match(text, column)


def command(tests: Iterable[str]) -> list[str]:
    """Return the command that runs these files of tests until one fails."""
    options = ["-x", "-q", "-n", "0", "-o", "timeout=60", "--hypothesis-profile=mutants"]
    files = [f"tests/jobs/{name}.py" for name in tests]
    return [sys.executable, "-m", "pytest", *options, *files]


def survivor(item: WorkItem, rounds: Iterable[Iterable[str]]) -> str | None:
    """Return where a mutant is and what it changes; None if a test notices it."""
    diff = ""
    for tests in rounds:
        result = mutate_and_test(item.mutations, shlex.join(command(tests)), TIME_LIMIT)
        if result.is_killed:
            return None
        diff = result.diff or ""
    change = item.mutations[0]
    place = f"{change.module_path}:{change.start_pos[0]} {change.definition_name}"
    return "\n".join((place, *re.findall(r"^[-+] .*", diff, re.MULTILINE)))


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="module", help="retry, say; else all")
    parser.add_argument("--draw", type=int, metavar="N", help="run N mutants drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="of the draw; %(default)s by default")
    parser.add_argument("--quick", action="store_true", help="leave out the slow files of tests")
    return parser.parse_args()


def main() -> None:
    arguments = parsed_arguments()
    words = arguments.modules
    if not (modules := chosen_modules(words)):
        sys.exit(f"no module of {JOBS.relative_to(ROOT)} is called {' or '.join(words)}")
    copy_checkout()
    os.chdir(FOLDER)
    os.environ["PYTHONPATH"] = str(FOLDER / "src")
    # Without a change the tests pass. This run also compiles the modules for those that follow.
    quick, _ = rounds_of_tests(modules[0])
    if subprocess.run(command(quick), check=False, stdout=sys.stderr).returncode:
        sys.exit("the tests fail without a change")
    items = possible_mutants(modules)
    if arguments.draw is not None:
        items = random.Random(arguments.seed).sample(items, min(arguments.draw, len(items)))
    number = 0
    for count, item in enumerate(items):
        sys.stderr.write(f"{count} of {len(items)}\r")
        rounds = rounds_of_tests(item.mutations[0].module_path)
        if text := survivor(item, rounds[:1] if arguments.quick else rounds):
            sys.stdout.write(f"{text}\n\n")
            sys.stdout.flush()
            number += 1
    sys.stdout.write(f"{number} of {len(items)} mutants survived\n")


if __name__ == "__main__":
    main()
