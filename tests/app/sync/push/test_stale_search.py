"""A sync whose search does not know yet what has changed in Jira."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.lossy import Lossy
from fakes.pulls import Bench
from fakes.unsettled import site_in_virtual_time
from trio.testing import MockClock

from jira_sandbox import create_app
from ticketr.app.sync import Code, Side


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: MockClock) -> Bench:
    return Bench(site_in_virtual_time(search_lag=600.0), tmp_path / "work")


def prioritise(bench: Bench, key: str) -> None:
    path = bench.root / f"{key}.md"
    text = path.read_text()
    assert "Priority: Low\n" in text
    path.write_text(text.replace("Priority: Low\n", "Priority: High\n", 1))


async def test_what_does_not_clash_is_merged_and_pushed(bench: Bench) -> None:
    await bench.pull()
    bench.site.edit("DEMO-1", labels=("theirs",))
    prioritise(bench, "DEMO-1")

    result = await bench.sync()

    assert (result.push.updated, result.push.conflicts) == (("DEMO-1",), ())
    assert bench.finds("DEMO-1").priority.name == "High"
    assert "Labels: theirs\n" in (bench.root / "DEMO-1.md").read_text()
    assert (await bench.sync()).push.total == 0


async def test_what_clashes_is_a_conflict_to_resolve(bench: Bench) -> None:
    await bench.pull()
    bench.site.edit("DEMO-1", summary="Theirs")
    bench.retitles("DEMO-1", "Mine")

    (note,) = (await bench.sync()).push.conflicts

    assert (note.key, note.code) == ("DEMO-1", Code.CONFLICT)
    assert note.reason == "changed here and in Jira: DEMO-1: Title"
    assert bench.finds("DEMO-1").summary == "Theirs"


async def test_a_strategy_settles_what_clashes_there_too(bench: Bench) -> None:
    await bench.pull()
    bench.site.edit("DEMO-1", summary="Theirs")
    bench.retitles("DEMO-1", "Mine")

    result = await bench.sync(prefer=Side.LOCAL)

    assert (result.push.updated, result.push.conflicts) == (("DEMO-1",), ())
    assert bench.finds("DEMO-1").summary == "Mine"


async def test_a_ticket_that_never_stands_still_is_left_for_the_next_sync(bench: Bench) -> None:
    await bench.pull()
    bench.site.edit("DEMO-1", labels=("theirs",))
    prioritise(bench, "DEMO-1")
    asked: list[str] = []

    def changes(_: str, at: str) -> None:
        if at == "issue/bulkfetch":
            asked.append(at)
            bench.site.edit("DEMO-1", labels=(f"theirs-{len(asked)}",))

    transport = Lossy(create_app(bench.site), lambda *_: None, before=changes)
    (note,) = (await bench.sync(transport=transport)).push.conflicts

    assert (note.key, note.code) == ("DEMO-1", Code.MOVED_ON)
    assert note.reason == (
        "changed in Jira since the last pull (DEMO-1: Labels); sync again in a moment"
    )
    assert bench.finds("DEMO-1").priority.name == "Low"
