"""A workspace and a site with changes of every kind on both sides, and checks of the sync."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import trio
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import Site, make_site
from ticketr.app.jira.adf import to_adf, to_markdown
from ticketr.app.sync import PullResult, PushResult, SyncResult
from ticketr.app.tickets import Ticket, parse

#: The numbers of issues before a push, created by it, and changed by it.
BEFORE, CREATED, CHANGED = 6, 7, 5

DRAFTS = """\
Some words above that are nobody's ticket.

# TICKET: Big draft

## Description
Its *description*.

## Fields
Type: Story
Labels: big, draft

## Acceptance Criteria
- It holds

## Tasks
- First task
- Second task

# TICKET: Small draft

## Fields
Status: In Progress

# TICKET: Twin

# TICKET: Twin
"""

#: Edits in the files: a title, a status, one field while another changes in Jira, one line of a
#: text while another changes in Jira, and a sub-task.
HERE = {
    "DEMO-1": ("Search that forgives typing errors", "Mine"),
    "DEMO-6": ("Status: To Do", "Status: In Progress"),
    "DEMO-3": ("Results jump while the covers load", "Both"),
    "DEMO-2": ("one\n", "one, here\n"),
    "DEMO-4": ("Translate the new texts (de, fr, pt-BR)", "Translate nothing"),
}

Facts = list[tuple[str, str, str, str, str]]

AnyBench = TypeVar("AnyBench", bound=Bench)


def make_scene(root: Path, site: Site | None = None) -> Bench:
    """Pull a small site into a folder, then edit both sides.

    Args:
        root: The folder.
        site: The site, of `BEFORE` tickets and with seed 1. DEMO-1 to 3 and 6 are tickets;
            DEMO-4 and 5 are sub-tasks of DEMO-3.
    """
    site = make_site(tickets=BEFORE, seed=1) if site is None else site
    site.edit("DEMO-2", description=to_adf("one\n\ntwo\n\nthree"))
    bench = Bench(site, root)
    run(bench.pull)
    edit_files(root)
    site.edit("DEMO-3", labels=("theirs",))
    site.edit("DEMO-2", description=to_adf("one\n\ntwo\n\nthree, there"))
    return bench


def edit_files(root: Path) -> None:
    """Edit the files as `HERE` and `DRAFTS` say, and write a new task under DEMO-6."""
    for key, (old, new) in HERE.items():
        (path,) = (each for each in root.glob("*.md") if f"[{key}]" in each.read_text())
        text = path.read_text()
        begin = text.index(f"[{key}]")
        assert old in text[begin:], (key, text)
        path.write_text(text[:begin] + text[begin:].replace(old, new, 1))
    with (root / "DEMO-6.md").open("a") as file:
        file.write("\n## Tasks\n- New task\n")
    (root / "drafts.md").write_text(DRAFTS)


def copy_scene(scene: AnyBench, root: Path, *, latency: float = 0.0) -> AnyBench:
    """Return a copy of both sides."""
    shutil.copytree(scene.root, root)
    site = Site(list(scene.site), counters=scene.site.counters)
    return type(scene)(site, root, latency=latency)


def run(function: Any, **options: Any) -> Any:
    """Run an async function in virtual time."""

    async def main() -> Any:
        with trio.fail_after(100_000):
            return await function(**options)

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def facts(site: Site) -> Facts:
    """Return the issues of the site as texts without keys."""
    return sorted(
        (
            each.summary,
            each.status.name,
            " ".join(each.labels),
            to_markdown(each.description) if each.description else "",
            parent.summary if (parent := site.get(each.parent or 0)) else "",
        )
        for each in site
    )


def done(site: Site) -> int:
    """Return how many of the issues that a push creates or changes are right on the site."""
    now: dict[str, Callable[[Any], bool]] = {
        "DEMO-1": lambda issue: issue.summary == "Mine",
        "DEMO-2": lambda issue: "one, here" in to_markdown(issue.description),
        "DEMO-3": lambda issue: issue.summary == "Both",
        "DEMO-4": lambda issue: issue.summary == "Translate nothing",
        "DEMO-6": lambda issue: issue.status.name == "In Progress",
    }
    made = len(site) - BEFORE
    return made + sum(bool(holds(site.find(key))) for key, holds in now.items())


def tickets(bench: Bench) -> dict[str, Ticket]:
    """Return the tickets in the files by key, with tasks sorted by key."""
    return {
        ticket.key or ticket.title: replace(
            ticket, tasks=tuple(sorted(ticket.tasks, key=lambda task: task.key or ""))
        )
        for name, text in bench.files().items()
        for ticket in parse(text, source=name).tickets
    }


def check_clean(pulled: PullResult, pushed: PushResult) -> None:
    """Check that a sync had no failures, conflicts or warnings."""
    notes = (*pulled.failed, *pulled.conflicts, *pulled.kept, *pulled.gone)
    assert notes == ()
    assert (*pushed.failed, *pushed.conflicts, *pushed.warnings) == ()


def check_both_sides(bench: Bench, again: SyncResult, before: dict[str, str]) -> None:
    """Check that one more sync did nothing, and that a new clone gets the same tickets.

    Args:
        bench: Both sides.
        again: The result of the sync.
        before: The files before the sync.
    """
    pulled = again.pull
    assert (again.push.total, pulled.new, pulled.updated, pulled.merged) == (0, 0, 0, 0)
    check_clean(pulled, again.push)
    assert bench.files() == before
    clone = Bench(bench.site, bench.root.with_name(f"{bench.root.name}-clone"))
    run(clone.pull)
    assert tickets(clone) == tickets(bench)
    shutil.rmtree(clone.root)
    assert list(bench.root.rglob(".ticketr-tmp-*")) == []


def check_afterwards(bench: Bench, wanted: Facts) -> None:
    """Check that the next sync completes everything, and that one more has nothing to do."""
    bench.keys()
    synced = run(bench.sync)
    check_clean(synced.pull, synced.push)
    assert facts(bench.site) == wanted
    files = bench.files()
    check_both_sides(bench, run(bench.sync), files)


def undisturbed(scene: Bench, root: Path) -> Facts:
    """Return the issues of the site after an undisturbed sync, made on a copy."""
    whole = copy_scene(scene, root)
    synced = run(whole.sync)
    check_clean(synced.pull, synced.push)
    return facts(whole.site)


def counts(message: str) -> tuple[int, int] | None:
    """Return the counts in ``Cancelled: 3/10 tickets pushed``; None for other texts.

    Before the tickets are counted, ``Cancelled: no ticket pushed yet`` stands for 0 of 0.
    """
    if re.fullmatch(r"Cancelled: no ticket (?:pushed|pulled) yet", message):
        return 0, 0
    found = re.fullmatch(r"Cancelled: (\d+)/(\d+) tickets (?:pushed|pulled)", message)
    return (int(found[1]), int(found[2])) if found else None
