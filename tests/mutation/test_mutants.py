"""The list of mutants matches the source, and its runner notices a survivor.

That each mutant is killed takes minutes to show: ``make mutants``.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from mutation.mutant import Mutant
from mutation.mutants import MUTANTS
from mutation.run import CHECKOUT, SECONDS, check, occurrences

if TYPE_CHECKING:
    from collections.abc import Sequence

HARMLESS = Mutant(
    "the first line of a module says something else",
    "_priority_queue.py",
    '"""A priority queue with removal from the middle. Pure."""',
    '"""A line."""',
    "test_priority_queue.py",
)
HARMFUL = Mutant(
    "the last is first",
    "_priority_queue.py",
    "entry = self._entries[item] = (rank, number, item)",
    "entry = self._entries[item] = (-rank, number, item)",
    "test_priority_queue.py::test_the_lowest_rank_is_first_then_the_lowest_number",
)
NONSENSE = HARMFUL._replace(name="it does not even compile", new="?")
STALE = HARMFUL._replace(name="a guard that is no more", old="the line that was here last year")
ENDLESS = HARMFUL._replace(name="a line that never moves", new="while True: pass  #")


def test_every_mutant_changes_one_place_of_the_source_as_it_is_today() -> None:
    found = {f"{mutant.path}, {mutant.name}": occurrences(mutant) for mutant in MUTANTS}

    assert {name: count for name, count in found.items() if count != 1} == {}
    assert [mutant.name for mutant in MUTANTS if mutant.old == mutant.new] == []


def test_every_mutant_has_a_name_of_its_own() -> None:
    names = Counter(mutant.name for mutant in MUTANTS)

    assert [name for name, count in names.items() if count > 1] == []


def test_every_mutant_names_tests_that_exist() -> None:
    for test in {test for mutant in MUTANTS for test in mutant.nodes}:
        file, _, name = test.partition("::")

        assert f"def {name.partition('[')[0]}(" in (CHECKOUT / file).read_text("utf-8")


def outcomes(
    mutants: Sequence[Mutant], capsys: pytest.CaptureFixture[str], seconds: float = SECONDS
) -> tuple[bool, dict[str, str], str]:
    """Return whether all were killed, the table as a dictionary, and the line below it."""
    all_killed = check(mutants, seconds=seconds)
    table = capsys.readouterr().out
    rows = re.findall(r"^(\w.*?) +[\d.]+ s  (.+?): ", table, re.MULTILINE)
    return all_killed, {name: outcome for outcome, name in rows}, table.splitlines()[-1]


@pytest.mark.unmeasured
def test_a_survivor_a_stale_entry_and_nonsense_are_told_from_a_kill(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert outcomes([HARMLESS, HARMFUL, NONSENSE, STALE], capsys) == (
        False,
        {
            HARMLESS.name: "SURVIVED",
            HARMFUL.name: "killed",
            NONSENSE.name: "BROKEN",
            STALE.name: "STALE",
        },
        "4 mutants: 1 killed, 1 SURVIVED, 1 STALE, 1 BROKEN",
    )


@pytest.mark.unmeasured
def test_nothing_is_judged_by_tests_that_fail_by_themselves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unknown = HARMFUL._replace(tests="test_priority_queue.py::test_that_is_not_there")

    all_killed, rows, _ = outcomes([unknown], capsys)

    assert (all_killed, rows) == (False, {})


@pytest.mark.stress
def test_what_never_ends_counts_as_killed_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcomes([ENDLESS], capsys, seconds=5) == (
        True,
        {ENDLESS.name: "killed (out of time)"},
        "1 mutants: 1 killed (out of time)",
    )
