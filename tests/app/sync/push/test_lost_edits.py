"""Edits that Jira has taken though the push ended before it knew: they are nobody else's changes."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes.killed_sync import open_runner
from fakes.lossy import Lossy, cut_off
from fakes.processes import sandbox_process
from fakes.pulls import URL, Bench
from fakes.scenes import run

from jira_sandbox import Site, create_app
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.storage import SiteFile
from jira_sandbox.opening import open_site
from ticketr.app.jira.adf import to_adf
from ticketr.app.sync import Code, Side
from ticketr.app.sync.compare.sent import SentValue

KILLED, INTERRUPTED = -9, 130


async def leave_a_title_cut_off(bench: Bench) -> None:
    """Jira has the title "First" for DEMO-1, and the push that brought it does not know."""
    await bench.pull()
    bench.retitles("DEMO-1", "First")
    await cut_off(bench, "PUT issue/DEMO-1")


def from_the_edit_on(what: str, *, edit: str | None = None) -> Callable[[str, str], str | None]:
    """Lose what is asked for after the first edit; of edits, if anything, what is told."""
    written: list[str] = []

    def lose(method: str, path: str) -> str | None:
        if method == "PUT":
            written.append(path)
            return edit
        return what if written else None

    return lose


async def in_step(bench: Bench) -> bool:
    """See that one more sync has nothing to do."""
    planned = (await bench.push(dry_run=True)).total
    synced = await bench.sync()
    return (planned, synced.push.total, synced.pull.conflicts) == (0, 0, ())


def sent(bench: Bench, head: int) -> dict[str, list[SentValue]]:
    with bench.state() as state:
        return state.sent.values_by_key(str(head))


@pytest.mark.parametrize("prefer", [None, Side.REMOTE, Side.LOCAL])
async def test_a_title_that_is_edited_again_is_an_edit(bench: Bench, prefer: Side | None) -> None:
    await leave_a_title_cut_off(bench)
    assert bench.finds("DEMO-1").summary == "First"
    bench.retitles("DEMO-1", "Second")

    result = await bench.sync(prefer=prefer)

    assert (result.pull.conflicts, result.push.updated) == ((), ("DEMO-1",))
    assert bench.finds("DEMO-1").summary == "Second"
    assert "# TICKET: [DEMO-1] Second\n" in (bench.root / "DEMO-1.md").read_text()
    assert sent(bench, bench.finds("DEMO-1").id) == {}
    assert await in_step(bench)


@pytest.mark.parametrize("prefer", [None, Side.REMOTE])
async def test_what_is_edited_back_is_an_edit(bench: Bench, prefer: Side | None) -> None:
    await bench.pull()
    before = bench.finds("DEMO-1").summary
    bench.retitles("DEMO-1", "First")
    await cut_off(bench, "PUT issue/DEMO-1")
    bench.retitles("DEMO-1", before)

    assert (await bench.sync(prefer=prefer)).push.updated == ("DEMO-1",)

    assert bench.finds("DEMO-1").summary == before
    assert await in_step(bench)


async def test_somebody_else_s_change_of_the_same_is_still_a_conflict(bench: Bench) -> None:
    await leave_a_title_cut_off(bench)
    bench.site.edit("DEMO-1", summary="Theirs")
    bench.retitles("DEMO-1", "Second")

    (note,) = (await bench.push()).conflicts
    assert note.code is Code.CHANGED_IN_JIRA
    (note,) = (await bench.sync()).pull.conflicts

    assert note.reason == "changed here and in Jira: DEMO-1: Title"
    assert bench.finds("DEMO-1").summary == "Theirs"


async def test_an_edit_that_never_arrived_is_still_to_be_sent(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-1", "First")
    lossy = Lossy(create_app(bench.site), from_the_edit_on("request", edit="request"))
    await bench.push(transport=lossy)
    assert sent(bench, bench.finds("DEMO-1").id) != {}

    bench.site.edit("DEMO-1", labels=("theirs",))
    assert (await bench.sync()).push.updated == ("DEMO-1",)

    assert bench.finds("DEMO-1").summary == "First"
    assert await in_step(bench)


async def test_it_counts_part_by_part(bench: Bench) -> None:
    await bench.pull()
    bench.site.edit("DEMO-1", description=to_adf("one\n\ntwo"))
    await bench.pull()
    bench.retitles("DEMO-1", "First")
    bench.edits("DEMO-1", "Priority: Low", "Priority: High")
    bench.edits("DEMO-1", "one\n", "first\n")
    await cut_off(bench, "PUT issue/DEMO-1")
    bench.site.edit("DEMO-1", summary="Theirs")
    bench.retitles("DEMO-1", "Second")
    bench.edits("DEMO-1", "Priority: High", "Priority: Medium")
    bench.edits("DEMO-1", "first\n", "second\n")

    (note,) = (await bench.sync()).pull.conflicts

    assert note.reason == "changed here and in Jira: DEMO-1: Title"
    assert sent(bench, bench.finds("DEMO-1").id) != {}  # the next merge needs it again
    assert [each.reason for each in (await bench.sync()).pull.conflicts] == [note.reason]


async def test_a_sub_task_and_its_ticket_are_apart(bench: Bench) -> None:
    await bench.pull()
    old = bench.finds("DEMO-4").summary
    bench.edits("DEMO-3.md", f"[DEMO-4] {old}", "[DEMO-4] First")
    await cut_off(bench, "PUT issue/DEMO-4")
    bench.edits("DEMO-3.md", "[DEMO-4] First", "[DEMO-4] Second")
    bench.retitles("DEMO-3", "Head")
    await cut_off(bench, "PUT issue/DEMO-3")  # what Jira had of DEMO-4 is not forgotten with that
    bench.edits("DEMO-3.md", "[DEMO-4] Second", "[DEMO-4] Third")

    result = await bench.sync()

    assert (result.pull.conflicts, result.push.updated) == ((), ("DEMO-4",))
    assert [bench.finds(key).summary for key in ("DEMO-3", "DEMO-4")] == ["Head", "Third"]
    assert await in_step(bench)


@contextmanager
def open_data(path: Path) -> Generator[Site]:
    """Open the site in a file, in this process."""
    with SiteFile(path, [DEMO_USER]) as file:
        yield open_site(file, tickets=3, seed=1)


def title_at(url: str) -> str:
    login = base64.b64encode(b"demo@example.com:demo").decode()
    asked = urllib.request.Request(
        f"{url}/rest/api/3/issue/DEMO-1?fields=summary", headers={"Authorization": f"Basic {login}"}
    )
    with urllib.request.urlopen(asked) as answer:
        title: str = json.load(answer)["fields"]["summary"]
    return title


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("blow", "end"),
    [("SIGKILL", KILLED), pytest.param("SIGINT", INTERRUPTED, marks=pytest.mark.stress)],
)
def test_a_killed_push_leaves_edits_that_are_our_own(tmp_path: Path, blow: str, end: int) -> None:
    data, root = tmp_path / "site.db", tmp_path / "work"
    with open_data(data) as site:
        run(Bench(site, root).pull)
        Bench(site, root).retitles("DEMO-1", "First")
    arguments = ("--data", str(data), "--port", "0")
    with sandbox_process(tickets=3, arguments=arguments) as url, open_runner() as runner:
        task: dict[str, Any] = {
            "root": str(root),
            "url": url,
            "browse": URL,
            "kind": "push",
            "signal": blow,
        }
        step = 0
        while title_at(url) != "First":  # the first step that comes after the site has it
            step += 1
            assert runner.run(step=step, **task)["ended"] == end
    with open_data(data) as site:
        bench = Bench(site, root)
        bench.retitles("DEMO-1", "Second")

        result = run(bench.sync)

        assert (result.pull.conflicts, result.push.updated) == ((), ("DEMO-1",))
        assert bench.finds("DEMO-1").summary == "Second"
        assert run(in_step, bench=bench)
