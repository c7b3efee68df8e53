"""Pulls that meet what nobody planned: hostile keys, issues that vanish, files in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.pulls import Bench, Recorder
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code
from ticketr.app.sync.pull import pipeline
from ticketr.app.tickets import Ticket, parse, render_ticket

Issues = list[dict[str, Any]]


class Meddling(Recorder):
    """A Jira whose bulk fetch answers are changed on their way."""

    def __init__(self, bench: Bench, change: Callable[[Issues], Issues]) -> None:
        super().__init__(create_app(bench.site))
        self._change = change

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if not request.url.endswith("/bulkfetch"):
            return response
        answer = json.loads(response.body)
        answer["issues"] = self._change(answer["issues"])
        return replace(response, body=json.dumps(answer).encode())


@pytest.fixture
def bench(tmp_path: Path, autojump_clock: MockClock) -> Bench:
    return Bench(make_site(tickets=40, seed=1), tmp_path / "work")


async def story(bench: Bench) -> Ticket:
    """Pull once, and give a ticket with sub-tasks."""
    await bench.pull()
    tickets = [parse(text).tickets[0] for text in bench.files().values()]
    return next(ticket for ticket in tickets if len(ticket.tasks) > 1)


@pytest.mark.parametrize("key", ["../../x", "DEMO-1/../../x", "/etc/x", "DEMO-01", "\x1b[2J-1"])
async def test_a_key_that_is_none_is_reported_and_never_becomes_a_path(
    key: str, bench: Bench, tmp_path: Path
) -> None:
    def change(issues: Issues) -> Issues:
        alone = next(each for each in issues if not each["fields"]["subtasks"])
        alone["key"] = key
        return issues

    result = await bench.pull(transport=Meddling(bench, change))

    assert [note.key for note in result.failed] == [key]
    assert result.new == len(bench.keys()) == 39
    assert (result.total, result.unwritten) == (40, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


async def test_an_issue_deleted_between_search_and_fetch_is_not_counted(bench: Bench) -> None:
    result = await bench.pull(transport=Meddling(bench, lambda issues: issues[1:]))

    assert result.total == result.new == len(bench.keys()) == 39


async def test_sub_tasks_of_a_deleted_parent_become_tickets_of_their_own(
    bench: Bench, tmp_path: Path
) -> None:
    gone = await story(bench)
    other = Bench(bench.site, tmp_path / "other")

    def change(issues: Issues) -> Issues:
        return [each for each in issues if each["key"] != gone.key]

    result = await other.pull(transport=Meddling(other, change))

    assert result.new == 39
    for task in gone.tasks:
        (alone,) = parse(other.files()[f"{task.key}.md"]).tickets
        assert alone.fields["Parent"] == gone.key


async def test_a_sub_task_that_stands_in_another_ticket_is_left_there_and_reported(
    bench: Bench,
) -> None:
    home = await story(bench)
    moved = home.tasks[0]
    draft = Ticket(title="Mine", tasks=(moved,))
    rest = replace(home, tasks=home.tasks[1:])
    (bench.root / f"{home.key}.md").write_text(render_ticket(rest) + "\n" + render_ticket(draft))

    result = await bench.pull(full=True)

    notes = {note.key: note.reason for note in result.kept}
    assert notes[str(moved.key)].startswith(f"Jira has it as a sub-task of {home.key}")
    assert bench.keys().count(str(moved.key)) == 1


async def test_a_ticket_filed_under_another_is_left_there_and_reported(bench: Bench) -> None:
    inner = await story(bench)
    (bench.root / f"{inner.key}.md").unlink()
    outer = Ticket(title="Mine", tasks=(replace(inner, tasks=()),))
    (bench.root / "mine.md").write_text(render_ticket(outer))

    result = await bench.pull(full=True)

    notes = {note.key: note.reason for note in result.kept}
    assert notes[str(inner.key)].startswith("Jira has it by itself")
    assert bench.keys().count(str(inner.key)) == 1


async def test_a_folder_in_the_place_of_a_file_stops_that_ticket_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "PAGE", 4)
    last = max((issue.number for issue in bench.site if issue.parent is None), default=0)
    (bench.root / f"DEMO-{last}.md").mkdir(parents=True)

    result = await bench.pull()

    (note,) = result.failed
    assert note.path == f"DEMO-{last}.md"
    assert "something that is not a file has this name" in note.reason
    keys = [
        key
        for path in bench.root.glob("*.md")
        if path.is_file()
        for ticket in parse(path.read_text()).tickets
        for key in ticket.keys()  # noqa: SIM118 - a ticket is not a mapping
    ]
    assert result.done == len(keys) > 0
    assert result.done + result.left_alone == result.total


async def test_a_file_that_breaks_while_the_pull_runs_fails_and_is_kept(bench: Bench) -> None:
    ticket = await story(bench)
    path = bench.root / f"{ticket.key}.md"

    def change(issues: Issues) -> Issues:
        path.write_text("#TICKET: broken\n")
        return issues

    result = await bench.pull(full=True, transport=Meddling(bench, change))

    assert [(note.key, note.code) for note in result.failed] == [(ticket.key, Code.BROKEN)]
    assert path.read_text() == "#TICKET: broken\n"


@pytest.mark.parametrize("edited", [False, True])
async def test_a_file_that_is_renamed_while_the_pull_runs_stays_the_only_one_of_its_key(
    bench: Bench, edited: bool
) -> None:
    ticket = await story(bench)
    key = str(ticket.key)
    path, new = bench.root / f"{key}.md", bench.root / "later" / "mine.md"
    if edited:
        path.write_text(path.read_text().replace("\n## Description\n", "\n## Description\nMine.\n"))
    bench.site.edit(key, summary="Another title")

    def change(issues: Issues) -> Issues:
        new.parent.mkdir(exist_ok=True)
        if path.exists():
            path.rename(new)
        return issues

    result = await bench.pull(full=True, transport=Meddling(bench, change))

    assert (result.failed, result.kept, result.conflicts) == ((), (), ())
    assert bench.keys().count(key) == 1
    text = new.read_text()
    assert f"# TICKET: [{key}] Another title\n" in text
    assert ("Mine." in text) == edited
    again = await bench.pull()
    assert (again.new, again.updated, again.done) == (0, 0, 40)
    assert bench.keys().count(key) == 1
