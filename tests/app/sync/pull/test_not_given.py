"""Issues that Jira names in `issueErrors`, leaves out of an answer, or gives without being asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.pulls import URL, Bench, Recorder
from fakes.unsettled import DRAFT, lose_answers, new
from hypothesis import given, strategies as st
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from ticketr import JobFailed
from ticketr.app.jira import Issue
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code, FileFailed
from ticketr.app.sync.pull.fetch_plan import FamilyCollector, make_fetch_plan
from ticketr.app.sync.queries import changed_since, unordered_jql_or_project_query
from ticketr.app.sync.state.state import KnownIssue
from ticketr.app.sync.workspace.store import TicketLocation
from ticketr.app.sync.writing.writer import FamilyWriter
from ticketr.app.tickets import parse

BULK = f"{URL}/rest/api/3/issue/bulkfetch"
NOT_GIVEN = "Jira could not give it (the shard is away)"


class Withholding(Recorder):
    """A Jira that cannot give some issues when many are asked for together.

    Args:
        bench: the site.
        names: the keys of the issues; it may be changed meanwhile.
        silent: whether they are left out without a word.
    """

    def __init__(self, bench: Bench, *names: str, silent: bool = False) -> None:
        super().__init__(create_app(bench.site))
        self.names = set(names)
        self._silent = silent

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if request.url != BULK or response.status != 200:
            return response
        answer = json.loads(response.body)
        held = [each for each in answer["issues"] if each["key"] in self.names]
        answer["issues"] = [each for each in answer["issues"] if each not in held]
        if not self._silent:
            answer["issueErrors"] = [
                {"id": each["id"], "errorMessage": "the shard is away"} for each in held
            ]
        return replace(response, body=json.dumps(answer).encode())


class Changed(Recorder):
    """A Jira whose answers to bulk fetches are changed on their way."""

    def __init__(self, bench: Bench, change: Callable[[dict[str, Any], list[str]], None]) -> None:
        super().__init__(create_app(bench.site))
        self._change = change

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if request.url != BULK:
            return response
        answer = json.loads(response.body)
        self._change(answer, json.loads(request.body or b"")["issueIdsOrKeys"])
        return replace(response, body=json.dumps(answer).encode())


def title_in(bench: Bench, key: str) -> str:
    """The title of an issue as it stands in a file."""
    tickets = [each for text in bench.files().values() for each in parse(text).tickets]
    issues = [issue for ticket in tickets for issue in (ticket, *ticket.tasks)]
    return next(issue.title for issue in issues if issue.key == key)


@pytest.mark.parametrize("key", ["DEMO-9", "DEMO-3", "DEMO-4"])
@pytest.mark.parametrize("silent", [False, True])
async def test_a_change_that_jira_could_not_give_comes_with_the_next_pull(
    bench: Bench, key: str, silent: bool
) -> None:
    await bench.pull()
    bench.site.edit(key, summary="Theirs")
    bench.site.edit("DEMO-3" if key == "DEMO-4" else "DEMO-1", labels=("theirs",))

    first = await bench.pull(transport=Withholding(bench, key, silent=silent))
    # Long after, when a search for what has changed since that pull does not find it any more.
    later = replace(bench.finds(key), updated=bench.finds("DEMO-12").created)
    bench.site.put(later)

    notes = first.gone if silent else first.failed
    assert [(note.key, note.code) for note in notes] == [
        (key, Code.NOT_FOUND if silent else Code.REQUEST_FAILED)
    ]
    assert notes[0].path == ("DEMO-3.md" if key == "DEMO-4" else f"{key}.md")
    assert silent or notes[0].reason == f"{NOT_GIVEN}; the next pull asks for it again"
    assert (first.total, first.failed_issue_count) == ((11, 0) if silent else (12, 1))
    assert title_in(bench, key) != "Theirs"
    second = await bench.pull()
    assert (second.failed, second.gone, second.updated) == ((), (), 1)
    assert first.left_out == ()
    assert title_in(bench, key) == "Theirs"


async def test_a_new_issue_that_jira_could_not_give_is_named_by_its_id(bench: Bench) -> None:
    result = await bench.pull(transport=Withholding(bench, "DEMO-9"))

    (note,) = result.failed
    assert (note.key, note.path) == (str(bench.finds("DEMO-9").id), "")
    assert (result.new, result.failed_issue_count) == (11, 1)
    assert (await bench.pull()).new == 1


async def test_sub_tasks_wait_for_a_parent_that_jira_could_not_give(bench: Bench) -> None:
    result = await bench.pull(transport=Withholding(bench, "DEMO-3"))

    assert {note.key for note in result.failed} >= {"DEMO-4", "DEMO-5"}
    assert (result.new, result.failed_issue_count) == (9, 3)
    assert not (bench.root / "DEMO-4.md").exists()
    assert (await bench.pull()).new == 3
    assert [*parse(bench.files()["DEMO-3.md"]).tickets[0].keys()] == ["DEMO-3", "DEMO-4", "DEMO-5"]


async def test_what_is_too_much_for_one_answer_is_asked_for_again_at_once(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=40, seed=1), tmp_path / "work")

    def only_seven(answer: dict[str, Any], _: list[str]) -> None:
        rest = answer["issues"][7:]
        del answer["issues"][7:]
        answer["issueErrors"] = [{"id": each["id"], "errorMessage": "too large"} for each in rest]

    result = await bench.pull(transport=Changed(bench, only_seven))

    assert (result.new, result.failed) == (40, ())


async def test_an_issue_that_nobody_asked_for_is_not_written(bench: Bench) -> None:
    def change(answer: dict[str, Any], _: list[str]) -> None:
        first, second, *rest = answer["issues"]
        stranger = {**first, "id": "999", "key": "EVIL-1"}
        answer["issues"] = [stranger, second, second, *rest[1:]]

    result = await bench.pull(transport=Changed(bench, change))

    assert (result.new, result.total) == (10, 10)
    assert len(bench.keys()) == len(set(bench.keys())) == 10
    assert "EVIL-1.md" not in bench.files()


async def test_a_ticket_that_jira_could_not_give_is_not_taken_for_deleted(bench: Bench) -> None:
    await bench.pull()
    before = bench.files()

    def away(answer: dict[str, Any], asked: list[str]) -> None:
        if str(found.id) in asked:
            answer["issueErrors"] = [{"id": str(found.id), "errorMessage": "away"}]

    found = bench.finds("DEMO-9")
    bench.site.delete("DEMO-9")
    result = await bench.pull(prune=True, transport=Changed(bench, away))

    (note,) = result.gone
    assert (note.key, note.code) == ("DEMO-9", Code.REQUEST_FAILED)
    assert note.reason == "the query no longer finds it, and Jira could not give it (away)"
    assert (result.pruned, bench.files()) == ((), before)


@pytest.mark.parametrize("key", ["DEMO-3", "DEMO-4"])
async def test_an_edit_of_a_ticket_that_jira_could_not_give_is_left_for_later(
    bench: Bench, key: str
) -> None:
    await bench.pull()
    bench.retitles("DEMO-3", "Mine")
    before = bench.files()

    result = await bench.push(transport=Withholding(bench, key))

    (note,) = result.failed
    assert (note.key, note.code) == ("DEMO-3", Code.REQUEST_FAILED)
    assert note.reason == f"{NOT_GIVEN}; try again later"
    assert bench.files() == before
    assert (await bench.push()).updated == ("DEMO-3",)


async def test_what_was_pushed_and_could_not_be_read_again_is_told(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-3", "Mine")

    class AfterTheEdit(Withholding):
        async def send(self, request: Request) -> Response:
            if request.method == "PUT":
                self.names.add("DEMO-3")
            return await super().send(request)

    result = await bench.push(transport=AfterTheEdit(bench))

    assert result.updated == ("DEMO-3",)
    (note,) = result.warnings
    assert note.reason.startswith(f"it was pushed, but could not be read again: {NOT_GIVEN}")
    synced = await bench.sync()
    assert (synced.pull.conflicts, synced.push.total) == ((), 0)


async def test_a_new_issue_that_jira_could_not_give_is_not_made_twice(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=12, seed=1), tmp_path / "work")
    await lose_answers(bench, DRAFT, "answer")
    assert len(bench.site) == 13

    with pytest.raises(JobFailed, match="could not give DEMO-13"):
        await bench.push(transport=Withholding(bench, "DEMO-13"))
    await bench.push()

    assert new(bench) == ["Once"]


async def test_a_file_that_cannot_be_written_is_told_though_more_is_on_its_way(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=300, seed=1), tmp_path / "work")

    async def slow_disk(sync_fn: Callable[..., object], /, *args: object, **_: object) -> object:
        """Fail to write, and only when the next families wait to be handed over."""
        await trio.lowlevel.checkpoint()
        if getattr(sync_fn, "__func__", None) is FamilyWriter.write:
            await trio.sleep(1)
            raise FileFailed(tmp_path, "write", "No space left on device")
        return sync_fn(*args)

    with pytest.raises(JobFailed) as failed:
        await bench.pull(run_sync=slow_disk)

    assert isinstance(failed.value.__cause__, FileFailed)


def issue(number: int, *, parent: int | None = None, subtasks: tuple[int, ...] = ()) -> Issue:
    fields: dict[str, object] = {
        "issuetype": {"name": "Sub-task" if parent else "Story", "subtask": parent is not None},
        "subtasks": [{"id": str(each), "key": f"DEMO-{each}"} for each in subtasks],
    }
    if parent is not None:
        fields["parent"] = {"id": str(parent), "key": f"DEMO-{parent}"}
    return Issue(id=str(number), key=f"DEMO-{number}", fields=fields)


def all_wanted(*ids: str) -> FamilyCollector:
    return FamilyCollector(ids, present=ids)


@given(
    parents=st.lists(st.one_of(st.none(), st.integers(0, 29)), min_size=30, max_size=30),
    gone=st.sets(st.integers(0, 29)),
    size=st.integers(1, 7),
    data=st.data(),
)
def test_whatever_the_order_every_issue_comes_out_once(
    parents: list[int | None], gone: set[int], size: int, data: st.DataObject
) -> None:
    heads = {n for n in range(30) if parents[n] is None or parents[n] == n}
    family_of = {n: p if (p := parents[n]) in heads and n not in heads else n for n in range(30)}
    issues = {
        n: issue(
            n + 1,
            parent=None if family_of[n] == n else family_of[n] + 1,
            subtasks=tuple(c + 1 for c in range(30) if family_of[c] == n and c != n),
        )
        for n in range(30)
    }
    families = all_wanted(*(str(n + 1) for n in range(30)))
    flying: list[list[str]] = []
    out: list[str] = []
    while True:
        while len(flying) < 3 and (batch := families.next_batch(size)):
            flying.append(batch)
        if not flying:
            break
        batch = flying.pop(data.draw(st.integers(0, len(flying) - 1)))
        here = [issues[int(each) - 1] for each in batch if int(each) - 1 not in gone]
        for family in families.add_answer(batch, here):
            out.extend(family.issues)

    assert sorted(out) == sorted(str(n + 1) for n in range(30) if n not in gone)


def known(number: int, *, seen: float = 0.0, stale: bool = False) -> KnownIssue:
    return KnownIssue(str(number), f"DEMO-{number}", str(number), "then", seen, stale)


def known_by_id(*each: KnownIssue) -> dict[str, KnownIssue]:
    return {one.id: one for one in each}


def locations(*numbers: int) -> dict[str, TicketLocation]:
    return {f"DEMO-{each}": TicketLocation(f"DEMO-{each}.md", f"DEMO-{each}") for each in numbers}


@pytest.mark.parametrize(
    ("jql", "expected"),
    [
        ("status = Done", "status = Done"),
        ("status = Done ORDER BY created", "status = Done"),
        ("status = Done order  by created DESC, key", "status = Done"),
        ('summary ~ "order by mail" ORDER BY key', 'summary ~ "order by mail"'),
        ("summary ~ 'order by mail'", "summary ~ 'order by mail'"),
    ],
)
def test_the_order_of_a_users_query_is_left_out(jql: str, expected: str) -> None:
    assert unordered_jql_or_project_query("DEMO", jql) == expected


def test_a_users_query_with_or_stays_one_condition() -> None:
    query = changed_since("a = 1 OR b = 2", seen=0, now=0)

    assert query == "(a = 1 OR b = 2) AND updated >= -5m ORDER BY key ASC"


@pytest.mark.parametrize(("seen", "minutes"), [(1000.0, 5), (940.0, 6), (939.0, 7), (5000.0, 5)])
def test_changes_are_asked_for_since_the_last_sight_with_an_overlap(
    seen: float, minutes: int
) -> None:
    assert f"updated >= -{minutes}m " in changed_since("q", seen=seen, now=1000.0)


def test_another_query_says_nothing_about_tickets_it_does_not_find() -> None:
    state = known_by_id(known(1), known(2))

    assert make_fetch_plan(["1"], [], state, locations(1, 2), project=None).not_in_query == ()
    assert make_fetch_plan(["1"], [], state, locations(1, 2), project="OTHER").not_in_query == ()
