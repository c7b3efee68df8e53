"""Changes in Jira that its search, or the time of an issue, does not tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.lossy import Lossy
from fakes.pulls import Bench
from fakes.unsettled import site_in_virtual_time
from trio.testing import MockClock

from jira_sandbox import create_app
from jira_sandbox.data.catalogue import SPRINTS, USERS
from jira_sandbox.data.issue import Issue
from ticketr.app.sync import Code, Side
from ticketr.app.tickets import parse

OPEN, OVER = (replace(SPRINTS[6], state=state) for state in ("active", "closed"))
RENAMED = replace(USERS[2], name="Priya Raman-Okafor")


def close_sprint(issue: Issue) -> Issue:
    return replace(issue, sprints=(OVER,))


def rename_user(issue: Issue) -> Issue:
    return replace(issue, assignee=RENAMED)


@pytest.mark.unmeasured
@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize("key", ["DEMO-3", "DEMO-4"])
@pytest.mark.parametrize("change", [close_sprint, rename_user])
async def test_a_pull_takes_what_a_push_has_found(
    bench: Bench, change: Callable[[Issue], Issue], key: str, dry_run: bool
) -> None:
    bench.site.put(replace(bench.finds(key), sprints=(OPEN,), assignee=USERS[2]))
    await bench.pull()
    bench.retitles("DEMO-3", "Mine")
    bench.site.put(change(bench.finds(key)))

    (note,) = (await bench.push(dry_run=dry_run)).conflicts
    pulled = await bench.pull()
    pushed = await bench.push()

    assert (note.key, note.code) == ("DEMO-3", Code.CHANGED_IN_JIRA)
    assert note.reason.endswith("; pull first, or sync")
    assert pulled.conflicts == ()
    assert (pushed.updated, pushed.conflicts) == (("DEMO-3",), ())
    assert bench.finds("DEMO-3").summary == "Mine"
    (ticket,) = parse(bench.files()["DEMO-3.md"]).tickets
    (fields,) = [each.fields for each in (ticket, *ticket.tasks) if each.key == key]
    assert fields["Assignee"] == (RENAMED if change is rename_user else USERS[2]).name
    assert ("Sprint" in fields) is (change is rename_user)


@pytest.mark.parametrize("change", [close_sprint, rename_user])
async def test_a_sync_takes_it_at_once(bench: Bench, change: Callable[[Issue], Issue]) -> None:
    bench.site.put(replace(bench.finds("DEMO-3"), sprints=(OPEN,), assignee=USERS[2]))
    await bench.pull()
    bench.retitles("DEMO-3", "Mine")
    bench.site.put(change(bench.finds("DEMO-3")))

    result = await bench.sync()

    assert (result.push.updated, result.push.conflicts) == (("DEMO-3",), ())
    assert (await bench.push()).total == 0


@pytest.fixture
def lagging(tmp_path: Path, autojump_clock: MockClock) -> Bench:
    return Bench(site_in_virtual_time(search_lag=600.0), tmp_path / "work")


def prioritise(lagging: Bench, key: str) -> None:
    path = lagging.root / f"{key}.md"
    text = path.read_text()
    assert "Priority: Low\n" in text
    path.write_text(text.replace("Priority: Low\n", "Priority: High\n", 1))


async def test_what_does_not_clash_is_merged_and_pushed(lagging: Bench) -> None:
    await lagging.pull()
    lagging.site.edit("DEMO-1", labels=("theirs",))
    prioritise(lagging, "DEMO-1")

    result = await lagging.sync()

    assert (result.push.updated, result.push.conflicts) == (("DEMO-1",), ())
    assert lagging.finds("DEMO-1").priority.name == "High"
    assert "Labels: theirs\n" in (lagging.root / "DEMO-1.md").read_text()
    assert (await lagging.sync()).push.total == 0


async def test_what_clashes_is_a_conflict_to_resolve(lagging: Bench) -> None:
    await lagging.pull()
    lagging.site.edit("DEMO-1", summary="Theirs")
    lagging.retitles("DEMO-1", "Mine")

    (note,) = (await lagging.sync()).push.conflicts

    assert (note.key, note.code) == ("DEMO-1", Code.CONFLICT)
    assert note.reason == "changed here and in Jira: DEMO-1: Title"
    assert lagging.finds("DEMO-1").summary == "Theirs"


async def test_a_strategy_settles_what_clashes_there_too(lagging: Bench) -> None:
    await lagging.pull()
    lagging.site.edit("DEMO-1", summary="Theirs")
    lagging.retitles("DEMO-1", "Mine")

    result = await lagging.sync(prefer=Side.LOCAL)

    assert (result.push.updated, result.push.conflicts) == (("DEMO-1",), ())
    assert lagging.finds("DEMO-1").summary == "Mine"


async def test_a_ticket_that_never_stands_still_is_left_for_the_next_sync(lagging: Bench) -> None:
    await lagging.pull()
    lagging.site.edit("DEMO-1", labels=("theirs",))
    prioritise(lagging, "DEMO-1")
    asked: list[str] = []

    def changes(_: str, at: str) -> None:
        if at == "issue/bulkfetch":
            asked.append(at)
            lagging.site.edit("DEMO-1", labels=(f"theirs-{len(asked)}",))

    transport = Lossy(create_app(lagging.site), lambda *_: None, before=changes)
    (note,) = (await lagging.sync(transport=transport)).push.conflicts

    assert (note.key, note.code) == ("DEMO-1", Code.CHANGED_IN_JIRA)
    assert note.reason == (
        "changed in Jira since the last pull (DEMO-1: Labels); pull first, or sync"
    )
    assert lagging.finds("DEMO-1").priority.name == "Low"
