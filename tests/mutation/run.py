"""Apply each mutant of the queue in turn, and report those that no test notices.

The checkout is not changed: source and tests are copied to a temporary folder, and each mutant is
one replacement in a copy. The tests that it names run there in a process of their own, and one of
them must fail. Before that, all tests must pass without a mutant.

A test that hangs fails: a mutant that times out counts as killed, and the table says so.
"""

from __future__ import annotations

import argparse
import enum
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import trio
from mutation.mutants import MUTANTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mutation.mutant import Mutant

CHECKOUT = Path(__file__).parents[2]
AT_ONCE = 2
"""The number of processes that run tests at the same time, each in its own copy."""
SECONDS = 60.0
"""The most seconds for the tests of one mutant; most take one or two."""

CHILD = """
import signal, sys, ticketr
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
if not ticketr.__file__.startswith(sys.argv[1]):
    sys.exit(f"these tests are about to test {ticketr.__file__}")
import pytest
sys.exit(pytest.main(sys.argv[2:]))
"""
"""Runs pytest on the copy and on nothing else."""
PASSED = 0


class Outcome(enum.StrEnum):
    """The result of a mutant; all but the first two are faults of the list."""

    KILLED = "killed"
    TIMED_OUT = "killed (out of time)"
    SURVIVED = "SURVIVED"
    STALE = "STALE"
    BROKEN = "BROKEN"

    @property
    def is_good(self) -> bool:
        return self in (Outcome.KILLED, Outcome.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of pytest; its code is None if it timed out."""

    code: int | None
    output: str = ""


def occurrences(mutant: Mutant, checkout: Path = CHECKOUT) -> int:
    """Return how often the old text of a mutant is in the source; it must be once."""
    path = checkout / mutant.path
    return path.read_text("utf-8").count(mutant.old) if path.exists() else 0


def copy_of(checkout: Path, folder: Path) -> Path:
    """Copy the parts of a checkout that the tests need."""
    for name in ("src", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", ".hypothesis", "*.egg-info")
        shutil.copytree(checkout / name, folder / name, ignore=ignored)
    shutil.copy(checkout / "pyproject.toml", folder)
    return folder


async def run_tests(
    copy: Path, tests: Collection[str], seconds: float, *, keeps_bytecode: bool = False
) -> Run:
    """Run some tests in a copy, up to the first failure.

    Args:
        copy: The copy of the checkout, beside which the bytecode is kept.
        tests: The tests, as pytest names them.
        seconds: The most seconds that they may take.
        keeps_bytecode: Whether to keep the bytecode of all modules. Not that of a mutant: two of
            one length within a second would share it.
    """
    # Environment variables of coverage or pytest must not reach the process.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COVERAGE", "COV_", "PYTEST", "PYTHON"))
    }
    own = {"PYTHONPATH": str(copy / "src"), "PYTHONPYCACHEPREFIX": str(copy.parent / "bytecode")}
    if not keeps_bytecode:
        own["PYTHONDONTWRITEBYTECODE"] = "1"
    options = ["-x", "-q", "--tb=no", "-rfE", "--timeout=0", "-o", "faulthandler_timeout=0"]
    with trio.move_on_after(seconds):
        done = await trio.run_process(
            [sys.executable, "-c", CHILD, str(copy / "src"), *options, *sorted(tests)],
            cwd=copy,
            env=inherited | own,
            check=False,
            capture_stdout=True,
            stderr=subprocess.STDOUT,
        )
        return Run(done.returncode, done.stdout.decode("utf-8", "replace"))
    return Run(None)


async def judge(mutant: Mutant, copy: Path, seconds: float) -> Verdict:
    """Apply a mutant to a copy, run its tests, and undo it."""
    if (found := occurrences(mutant, copy)) != 1:
        return Verdict(Outcome.STALE, f"its old text is {found} times in {mutant.file}")
    path = copy / mutant.path
    original = path.read_text("utf-8")
    path.write_text(original.replace(mutant.old, mutant.new), "utf-8")
    try:
        run = await run_tests(copy, mutant.nodes, seconds)
    finally:
        path.write_text(original, "utf-8")
    if run.code is None:
        return Verdict(Outcome.TIMED_OUT, f"after {seconds:g} s")
    if run.code == PASSED:
        return Verdict(Outcome.SURVIVED, f"nothing fails in {mutant.tests}")
    # Not by the exit code: what a failed test leaves behind may break pytest itself.
    if (killer := killer_in(run.output)) is not None:
        return Verdict(Outcome.KILLED, f"by {killer}")
    return Verdict(Outcome.BROKEN, f"no test of it ran to its end:\n{run.output}")


def killer_in(output: str) -> str | None:
    """Return the failed test in pytest's summary."""
    for line in output.splitlines():
        if line.startswith("FAILED "):
            return line.removeprefix("FAILED tests/").split(" - ", 1)[0]
    return None


async def judge_all(
    mutants: Sequence[Mutant], checkout: Path, seconds: float
) -> list[tuple[Mutant, Verdict]] | Run:
    """Run all mutants and print each result; return the run without mutants if that fails."""
    judged: list[tuple[Mutant, Verdict]] = []

    async def judge_some(left: Iterator[Mutant], copy: Path) -> None:
        for mutant in left:
            began = time.monotonic()
            verdict = await judge(mutant, copy, seconds)
            judged.append((mutant, verdict))
            say(row(mutant, verdict, time.monotonic() - began))

    with tempfile.TemporaryDirectory(prefix="ticketr-mutants-") as name:
        folder = Path(name).resolve()
        copies = [copy_of(checkout, folder / str(number)) for number in range(AT_ONCE)]
        tests = {test for mutant in mutants for test in mutant.nodes}
        unmutated = await run_tests(copies[0], tests, 10 * SECONDS, keeps_bytecode=True)
        if unmutated.code != PASSED:
            return unmutated
        left = iter(mutants)
        async with trio.open_nursery() as nursery:
            for copy in copies:
                nursery.start_soon(judge_some, left, copy)
    return judged


def row(mutant: Mutant, verdict: Verdict, seconds: float) -> str:
    return f"{verdict.outcome:8} {seconds:5.1f} s  {mutant.name}: {verdict.detail}"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def check(
    mutants: Sequence[Mutant], *, checkout: Path = CHECKOUT, seconds: float = SECONDS
) -> bool:
    """Run the mutants and print the table; return whether all were killed."""
    judged = trio.run(judge_all, mutants, checkout, seconds)
    if isinstance(judged, Run):
        say(f"The tests do not even pass without a mutant:\n{judged.output or 'out of time'}")
        return False
    counts = dict.fromkeys(Outcome, 0)
    for _, verdict in judged:
        counts[verdict.outcome] += 1
    summary = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    say(f"{len(judged)} mutants: {summary}")
    return all(verdict.outcome.is_good for _, verdict in judged)


def main() -> None:
    parser = argparse.ArgumentParser(description="See whether the tests notice a broken queue.")
    parser.add_argument("words", nargs="*", help="only mutants whose name or file has one of these")
    words = parser.parse_args().words
    chosen = [
        mutant
        for mutant in MUTANTS
        if not words or any(word in f"{mutant.path} {mutant.name}" for word in words)
    ]
    if not chosen:
        sys.exit(f"no mutant is called anything with {' or '.join(words)}")
    sys.exit(0 if check(chosen) else 1)


if __name__ == "__main__":
    main()
