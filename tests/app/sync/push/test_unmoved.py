"""Tickets that have changed in Jira though the time of their last change has not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from fakes.pulls import Bench

from jira_sandbox.data.catalogue import SPRINTS, USERS
from jira_sandbox.data.issue import Issue
from ticketr.app.sync import Code
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

    assert (note.key, note.code) == ("DEMO-3", Code.MOVED_ON)
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
