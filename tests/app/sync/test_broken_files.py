"""Test that a broken file changes nothing for the tickets in other files.

The same job runs on equal sites and equal folders, with one broken file and without.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.pulls import Bench
from trio.testing import MockClock

from jira_sandbox import make_site
from jira_sandbox.data.issue import Issue
from ticketr.app.sync import Code
from ticketr.app.sync.pull.missing import handle_missing
from ticketr.app.sync.pull.tally import MissingIssues
from ticketr.app.tickets import parse

TICKETS = 12


def break_heading(path: Path) -> None:
    path.write_text(f"{path.read_text()}\n# STORY: old\n")


def put_markers(path: Path) -> None:
    first, _, rest = path.read_text().partition("\n")
    path.write_text(f"<<<<<<< HEAD\n{first}\n=======\n{first} too\n>>>>>>> main\n{rest}")


def encode(path: Path) -> None:
    path.write_bytes(path.read_text().encode("utf-16"))


def put_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\xff\n")


def put_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def open_fence(path: Path) -> None:
    path.write_text(path.read_text().replace("\n", "\n```\n", 1))


TEXT = (break_heading, put_markers, encode, put_bytes, open_fence)
ANY = (*TEXT, put_pipe, put_folder)
CASES = [(name, each) for name in ("all.md", "DEMO-3.md", "DEMO-9.md") for each in ANY]
CASES += [("drafts.md", each) for each in TEXT]


async def fill(root: Path) -> Bench:
    """Make a workspace with tickets in one file and in many, edits, drafts, and changes in Jira."""
    bench = Bench(make_site(tickets=TICKETS, seed=1), root)
    await bench.pull()
    names = ("DEMO-1.md", "DEMO-2.md", "DEMO-6.md")
    texts = [bench.root.joinpath(name).read_text() for name in names]
    for name in names:
        (bench.root / name).unlink()
    (bench.root / "all.md").write_text("\n".join(texts))
    await bench.pull(full=True)
    for key in ("DEMO-3", "DEMO-9"):
        bench.retitles(key, f"Mine {key}")
    all_ = bench.root / "all.md"
    all_.write_text(all_.read_text().replace("# TICKET: [DEMO-1] ", "# TICKET: [DEMO-1] Mine "))
    (bench.root / "drafts.md").write_text("# TICKET: A draft\n\n# TICKET: Another\n")
    for key in ("DEMO-2", "DEMO-6", "DEMO-8"):
        bench.site.edit(key, summary=f"Theirs {key}")
    bench.site.edit("DEMO-9", labels=("theirs",))
    return bench


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Sync a workspace without a broken file."""

    async def synced() -> Bench:
        bench = await fill(tmp_path_factory.mktemp("whole") / "whole")
        await bench.sync(prune=True)
        return bench

    return trio.run(synced, clock=MockClock(autojump_threshold=0))


def texts(bench: Bench, without: str) -> dict[str, str]:
    """Return the files but one, in which new tickets are named by their titles."""
    found: dict[str, str] = {}
    for path in sorted(bench.root.glob("*.md")):
        if path.name != without and path.is_file():
            text = path.read_text()
            for ticket in parse(text).tickets:
                if ticket.key and int(ticket.key.rpartition("-")[2]) > TICKETS:
                    text = text.replace(ticket.key, ticket.title)
            found[path.name] = text
    return found


def issues(bench: Bench, without: set[str]) -> dict[str, tuple[Any, ...]]:
    """Return what Jira has of all tickets but some; new tickets by their titles."""

    def content(issue: Issue) -> tuple[Any, ...]:
        return issue.summary, issue.labels, issue.status.name, json.dumps(issue.description)

    keys = [f"DEMO-{number}" for number in range(1, TICKETS + 3)]
    found = {key: issue for key in keys if (issue := bench.site.find(key))}
    return {
        issue.summary if int(key.rpartition("-")[2]) > TICKETS else key: content(issue)
        for key, issue in found.items()
        if key not in without and issue.summary not in without
    }


def names_in(path: Path) -> set[str]:
    """Return the keys in a file, and the titles of its drafts."""
    found: set[str] = set()
    for ticket in parse(path.read_text()).tickets:
        found |= {ticket.title} if ticket.key is None else set(ticket.keys())
    return found


def written(asked: list[str]) -> list[str]:
    """Return the requests that change something: those with a path of one issue, or a create."""
    return [each for each in asked if each.startswith(("issue/DEMO-", "issue {"))]


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("name", "breaks"), CASES, ids=[f"{name} {each.__name__}" for name, each in CASES]
)
async def test_a_sync_does_the_same_for_all_other_tickets(
    tmp_path: Path,
    autojump_clock: MockClock,
    whole: Bench,
    name: str,
    breaks: Callable[[Path], None],
) -> None:
    bench = await fill(tmp_path / "broken")
    path = bench.root / name
    own = names_in(path)
    in_jira = {key: bench.site.find(key) for key in own}
    breaks(path)
    bytes_ = path.read_bytes() if path.is_file() else b""

    result = await bench.sync(prune=True)

    assert texts(bench, name) == texts(whole, name)
    assert issues(bench, own) == issues(whole, own)
    assert {key: bench.site.find(key) for key in own} == in_jira
    assert not any(key in each for each in written(bench.asked) for key in own)
    assert (path.read_bytes() if path.is_file() else b"") == bytes_
    failed = [*result.pull.failed, *result.push.failed]
    assert [(each.path, each.code) for each in failed] == [(name, Code.BROKEN)]
    assert (result.pull.gone, result.pull.pruned) == ((), ())


@pytest.mark.parametrize("breaks", TEXT, ids=lambda each: each.__name__)
async def test_tickets_in_a_file_that_was_renamed_and_broken_are_nowhere_else(
    tmp_path: Path, autojump_clock: MockClock, breaks: Callable[[Path], None]
) -> None:
    bench = await fill(tmp_path / "work")
    path = (bench.root / "all.md").rename(bench.root / "sprint.md")
    breaks(path)
    for key in ("DEMO-1", "DEMO-2"):
        bench.site.delete(key)
    before = set(bench.files() if breaks not in {encode, put_bytes} else ())

    result = await bench.sync(full=True, prune=True)

    assert (result.pull.gone, result.pull.pruned) == ((), ())
    assert not (bench.root / "all.md").exists()
    assert not any((bench.root / f"DEMO-{number}.md").exists() for number in (1, 2, 6))
    assert before <= {each.name for each in bench.root.glob("*.md")}
    assert bench.finds("DEMO-6").summary == "Theirs DEMO-6"


@pytest.mark.parametrize(("key", "name"), [("DEMO-1", "DEMO-1.md"), ("DEMO-4", "DEMO-3.md")])
async def test_a_prune_goes_on_past_a_file_that_is_broken_meanwhile(
    tmp_path: Path,
    autojump_clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    name: str,
) -> None:
    bench = Bench(make_site(tickets=TICKETS, seed=1), tmp_path / "work")
    await bench.pull()
    bench.site.delete(key)
    bench.site.delete("DEMO-2")

    async def break_first(*args: Any, **options: Any) -> MissingIssues:
        break_heading(bench.root / name)
        return await handle_missing(*args, **options)

    monkeypatch.setattr("ticketr.app.sync.pull.missing.handle_missing", break_first)

    result = await bench.pull(prune=True)

    assert "DEMO-2" in result.pruned
    assert key in [note.key for note in result.failed]
    assert "# STORY: old" in (bench.root / name).read_text()
