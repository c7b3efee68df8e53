"""What a push finds out before it sends anything."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar, TypeVarTuple

import pytest
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr.app.sync import Code

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: MockClock) -> Bench:
    return Bench(make_site(tickets=100, seed=1), tmp_path / "work")


async def test_a_ticket_that_a_pull_found_in_conflict_is_to_be_resolved_and_not_pulled_again(
    bench: Bench,
) -> None:
    await bench.pull()
    for key in ("DEMO-1", "DEMO-2"):
        bench.retitles(key, "Mine")
    bench.site.edit("DEMO-1", summary="Theirs")
    assert [note.key for note in (await bench.pull()).conflicts] == ["DEMO-1"]
    bench.site.edit("DEMO-1", labels=("more",))
    bench.site.edit("DEMO-2", summary="Theirs, since the pull")

    result = await bench.push()

    assert [(note.key, note.code, note.reason) for note in result.conflicts] == [
        (
            "DEMO-1",
            Code.CONFLICT,
            "it is in conflict with Jira (DEMO-1: Title); run ticketr resolve DEMO-1",
        ),
        (
            "DEMO-2",
            Code.MOVED_ON,
            "changed in Jira since the last pull (DEMO-2: Title); pull first, or sync",
        ),
    ]
    assert result.total == 0


async def test_a_conflict_is_over_when_the_file_says_what_jira_says(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "Mine")
    bench.site.edit("DEMO-1", summary="Theirs")
    await bench.pull()
    bench.retitles("DEMO-1", "Theirs")

    result = await bench.push()

    assert (result.conflicts, result.failed, result.total) == ((), (), 0)
    assert (await bench.pull()).conflicts == ()
