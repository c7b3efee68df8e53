"""Test that ticketr has none of thirteen faults of the Go program Ticketr.

The numbers only tell the faults apart. Each docstring says what the Go program did.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.pulls import Bench, Recorder
from fakes.users import User
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from ticketr.app.jira.transport import Request, Response
from ticketr.app.tickets import Ticket, parse


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    bench.root.mkdir()
    return bench


def write(bench: Bench, text: str) -> Path:
    path = bench.root / "mine.md"
    path.write_text(text)
    return path


def tickets(path: Path) -> tuple[Ticket, ...]:
    return parse(path.read_text()).tickets


def sent(bench: Bench, path: str) -> list[dict[str, Any]]:
    """Return the bodies of the requests to one path."""
    asked = (line.partition(" ") for line in bench.asked)
    return [json.loads(body) for where, _, body in asked if where == path and body]


class Refusing(Recorder):
    """A transport that refuses one request, as an administrator's change might."""

    def __init__(self, bench: Bench, method: str, path: str) -> None:
        super().__init__(create_app(bench.site))
        self._left = [(method, path)]

    async def send(self, request: Request) -> Response:
        if self._left and (request.method, request.url.partition("/3/")[2]) == self._left[0]:
            self._left.clear()
            return Response(400, {}, b'{"errorMessages": ["not today"]}', request.url)
        return await super().send(request)


async def test_01_a_pull_leaves_drafts_where_they_stand(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """A pull rewrote the file from Jira's answer and lost tickets without a key."""
    path = write(bench, "# TICKET: [DEMO-9] Old\n\n# TICKET: A draft\n\n## Tasks\n- Its task\n")

    await bench.pull()
    await bench.pull(full=True)

    draft = tickets(path)[1]
    assert (draft.key, draft.title, draft.tasks[0].title) == (None, "A draft", "Its task")


async def test_02_an_edit_survives_a_pull_and_is_sent_by_the_next_push(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """A pull recorded the edited text as the last sync; the next push said "unchanged"."""
    await bench.pull()
    path = bench.root / "DEMO-9.md"
    path.write_text(path.read_text().replace(tickets(path)[0].title, "Mine", 1))

    await bench.pull()
    await bench.pull(full=True)

    assert (await bench.push()).updated == ("DEMO-9",)
    found = bench.site.find("DEMO-9")
    assert found is not None
    assert found.summary == "Mine"


@pytest.mark.parametrize(
    ("text", "method", "request_path"),
    [
        ("# TICKET: Whole\n\n## Tasks\n- Part\n", "POST", "issue"),
        ("# TICKET: [DEMO-3] Mine\n\n## Tasks\n- [DEMO-4] Mine too\n", "PUT", "issue/DEMO-4"),
    ],
    ids=["create", "update"],
)
async def test_03_a_refused_task_is_tried_again(
    bench: Bench, autojump_clock: MockClock, text: str, method: str, request_path: str
) -> None:
    """A task that Jira refused was recorded as sent; no later push tried it again."""
    await bench.pull(jql="key = DEMO-3 OR parent = DEMO-3", into="mine.md")
    path = bench.root / "mine.md"
    if method == "PUT":
        text = path.read_text().replace("Translate the new texts", "Translate mine", 1)
    path.write_text(text)

    first = await bench.push(transport=Refusing(bench, method, request_path))
    second = await bench.push()

    assert ["not today" in note.reason for note in first.failed] == [True]
    assert second.failed == ()
    assert len(second.created) + len(second.updated) > 0
    assert (await bench.push()).total == 0


async def test_07_a_new_key_is_in_its_file_before_the_next_issue_is_asked_for(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """Keys were written at the end only: after a stopped run everything was created twice."""
    path = write(bench, "".join(f"# TICKET: Number {number}\n\n" for number in range(9)))
    bench.latency = 1.0

    with trio.move_on_after(8):
        await bench.push()

    made = {issue.key for issue in bench.site if issue.number > 12}
    written = {ticket.key for ticket in tickets(path) if ticket.key}
    assert 0 < len(written) <= len(made) < 9
    assert len(made) - len(written) <= 4  # as many as are created at the same time
    bench.latency = 0.0
    await bench.push()
    assert len(bench.site) == 21
    assert len({ticket.key for ticket in tickets(path)}) == 9


def test_08_a_failure_hides_no_result_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any failure ended the program with exit code 1 and no report of the rest."""
    someone = User(tmp_path / "work", make_site(tickets=12, seed=1), monkeypatch, capsys)
    someone.writes("bad.md", "# TICKET: Wrong\n\n## Fields\nPriority: Hihg\n")
    someone.writes("good.md", "# TICKET: Right\n")

    told = someone.runs("push")

    assert told.code == 3
    summary, failure = told.err.splitlines()[-2:]
    assert summary == "1 created (DEMO-13), 0 updated, 1 failed"
    assert failure.startswith('failed: draft "Wrong" (bad.md): Priority: "Hihg" is not possible')


async def test_09_a_query_with_or_keeps_its_meaning(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """The program extended a query without brackets: `a OR b` found other projects too."""
    query = "key = DEMO-9 OR key = DEMO-1"
    await bench.pull(jql=query)
    for issue in list(bench.site):
        bench.site.edit(issue.key, labels=("changed",))

    result = await bench.pull(jql=query)

    assert (result.total, result.updated) == (2, 2)
    assert [*bench.files()] == ["DEMO-1.md", "DEMO-9.md"]
    asked = [body["jql"] for body in sent(bench, "search/jql")]
    assert asked[0] == f"{query} ORDER BY key ASC"
    assert asked[1].startswith(f"({query}) AND updated >= -")


async def test_13_only_criteria_are_read_as_criteria(
    bench: Bench, autojump_clock: MockClock, tmp_path: Path
) -> None:
    """They were sent as wiki text, and split off again wherever that text occurred."""
    own = "Why.\n\n### Acceptance Criteria\n\n- of the *old* story\n\nAnd so on."
    criteria = "## Acceptance Criteria\n- It **works**\n- It is fast\n"
    write(bench, f"# TICKET: A story\n\n## Description\n{own}\n\n{criteria}")

    await bench.push()

    (body,) = sent(bench, "issue")
    heading, bullets = body["fields"]["description"]["content"][-2:]
    assert (heading["type"], heading["attrs"]) == ("heading", {"level": 3})
    assert bullets["type"] == "bulletList"
    other = Bench(bench.site, tmp_path / "other")
    await other.pull()
    (ticket,) = tickets(other.root / "DEMO-13.md")
    assert ticket.acceptance_criteria == ("It **works**", "It is fast")
    assert ticket.description == own
