"""Drafts are created, many in few requests, and each exactly once whatever the answers are."""

from __future__ import annotations

import json
import math
import random
import re
from pathlib import Path

import pytest
import trio
from fakes.lossy import Answering, Detached, Lossy, Meanwhile
from fakes.pulls import Bench, Recorder
from fakes.steps import AtStep
from fakes.unsettled import (
    DRAFT,
    SETTLE,
    check_settled,
    new,
    site_in_virtual_time,
    unsettled,
    write,
)
from fakes.wire import Wire
from planned_faults import PlannedFaults
from trio.testing import MockClock

from jira_sandbox import Fault, FaultKind, create_app, make_site
from ticketr import JobFailed, JobSnapshot, JobStatus, open_job_queue
from ticketr.app.jira import AuthenticationFailed
from ticketr.app.jira.errors import ConnectionLost
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code, PushJob
from ticketr.app.tickets import parse

MANY = 23


def titles(count: int = MANY) -> list[str]:
    return [f"Draft {number}" for number in range(count)]


def drafts(count: int = MANY, more: str = "") -> str:
    return "\n".join(f"# TICKET: {title}\n{more}" for title in titles(count))


class Creates(Recorder):
    """Records the requests that create issues, and may answer batches in another way."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(create_app(bench.site))
        self.single: list[dict[str, object]] = []
        self.batches: list[int] = []

    async def send(self, request: Request) -> Response:
        if request.method == "POST" and request.url.endswith("/issue"):
            self.single.append(json.loads(request.body or b""))
        if request.method != "POST" or not request.url.endswith("/issue/bulk"):
            return await super().send(request)
        self.batches.append(len(json.loads(request.body or b"")["issueUpdates"]))
        return await self.answer(request)

    async def answer(self, request: Request) -> Response:
        return await super().send(request)


class RefusingBatches(Creates):
    """Answers batches, at most ``times`` of them, with a status, after or instead of carrying them out."""

    def __init__(
        self, bench: Bench, status: int, *, carried_out: bool, times: float = math.inf
    ) -> None:
        super().__init__(bench)
        self._status, self._carried_out, self._times = status, carried_out, times

    async def answer(self, request: Request) -> Response:
        if len(self.batches) > self._times:
            return await super().answer(request)
        if self._carried_out:
            await super().answer(request)
        return Response(self._status, {}, b"{}", request.url)


async def test_many_drafts_take_few_requests(bench: Bench) -> None:
    path = write(bench, drafts(210))
    wire = Creates(bench)

    result = await bench.push(transport=wire)

    assert (result.failed, result.warnings, len(result.created)) == ((), (), 210)
    assert (wire.batches, wire.single) == ([50, 50, 50, 50, 10], [])
    assert len(wire.writes) == 5
    assert new(bench) == sorted(titles(210))
    in_file = path.read_text()
    for number, title in enumerate(titles(210), 13):
        assert f"# TICKET: [DEMO-{number}] {title}\n" in in_file
    assert (await bench.sync()).push.total == 0


async def test_few_drafts_are_sent_one_by_one(bench: Bench) -> None:
    write(bench, drafts(9))
    wire = Creates(bench)

    await bench.push(transport=wire)

    assert (wire.batches, len(wire.single)) == ([], 9)


async def test_sub_tasks_follow_once_their_tickets_exist(bench: Bench) -> None:
    write(bench, drafts(12, "\n## Tasks\n- One\n- Two\n"))
    wire = Creates(bench)

    result = await bench.push(transport=wire)

    assert (result.failed, len(result.created)) == ((), 36)
    assert (wire.batches, wire.single) == ([12, 24], [])
    parents = {issue.key: issue.parent for issue in bench.site if issue.number > 24}
    assert len(parents) == 24
    assert set(parents.values()) == {issue.id for issue in bench.site if 13 <= issue.number <= 24}
    assert (await bench.sync()).push.total == 0


async def test_status_comes_after_and_a_wrong_draft_fails_alone(bench: Bench) -> None:
    text = drafts(12, "\n## Fields\nStatus: In Progress\n")
    write(bench, text.replace("In Progress", "In Progress\nReporter: Nobody At All", 1))

    result = await bench.push(transport=Creates(bench))

    assert [note.title for note in result.failed] == ["Draft 0"]
    assert new(bench) == sorted(titles(12)[1:])
    assert {issue.status.name for issue in bench.site if issue.number > 12} == {"In Progress"}


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 429, 500, 502])
async def test_a_batch_that_was_refused_or_not_is_in_jira_once(
    bench: Bench, status: int, carried_out: bool
) -> None:
    path = write(bench, drafts())
    wire = RefusingBatches(bench, status, carried_out=carried_out)

    result = await bench.push(transport=wire)

    assert result.failed == ()
    assert new(bench) == sorted(titles())
    assert len(wire.single) == (0 if carried_out else MANY)
    await check_settled(bench, path, titles())


async def test_a_batch_that_is_refused_for_a_moment_goes_again_as_a_batch(bench: Bench) -> None:
    write(bench, drafts())
    wire = RefusingBatches(bench, 429, carried_out=False, times=1)

    result = await bench.push(transport=wire)

    assert (wire.batches, wire.single, len(result.created)) == ([MANY, MANY], [], MANY)


@pytest.mark.parametrize("what", ["answer", "request"])
async def test_a_lost_batch_is_in_jira_once(bench: Bench, what: str) -> None:
    path = write(bench, drafts())
    left = [what]

    def lose(method: str, at: str) -> str | None:
        return left.pop() if (method, at) == ("POST", "issue/bulk") and left else None

    result = await bench.push(transport=Lossy(create_app(bench.site), lose))

    assert (left, result.failed) == ([], ())
    assert new(bench) == sorted(titles())
    await check_settled(bench, path, titles())


class Reordering(Creates):
    """Creates a batch in another order, and leaves some of it out."""

    async def answer(self, request: Request) -> Response:
        body = json.loads(request.body or b"")
        updates = body["issueUpdates"]
        random.Random(1).shuffle(updates)
        del updates[:3]
        request = type(request)(
            method=request.method,
            url=request.url,
            headers=request.headers,
            body=json.dumps(body).encode(),
        )
        return await super().answer(request)


async def test_no_draft_gets_the_key_of_another(bench: Bench) -> None:
    path = write(bench, drafts())
    wire = Reordering(bench)

    result = await bench.push(transport=wire)

    assert (result.failed, len(wire.single)) == ((), 3)
    text = path.read_text()
    for issue in bench.site:
        if issue.number > 12:
            assert f"# TICKET: [{issue.key}] {issue.summary}\n" in text
    await check_settled(bench, path, titles())


class Moving(Creates):
    """Moves the first issue of a batch to another project at once, as an automation may."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench)
        self._site = bench.site

    async def answer(self, request: Request) -> Response:
        answer = await super().answer(request)
        other = self._site.project("DEMO")
        first = self._site.find("BLANK-1")
        assert first is not None
        if other is not None and first.project.key == "BLANK":
            self._site.move(first.key, other, first.type)
        return answer


async def test_the_key_of_a_moved_issue_hides_no_other_issue(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    site = site_in_virtual_time(tickets=400, search_lag=600.0)
    bench = Bench(site, tmp_path / "work")
    write(bench, drafts(70))
    wire = Moving(bench)

    result = await bench.push(transport=wire, project="BLANK")

    assert (result.failed, len(result.created)) == ((), 70)
    assert (wire.batches, wire.single) == ([50, 20], [])
    made = sorted(each.summary for each in site if each.summary.startswith("Draft "))
    assert made == sorted(titles(70))


async def test_what_cannot_be_looked_up_is_reported_and_found_by_the_next_run(bench: Bench) -> None:
    path = write(bench, drafts())

    def lose(method: str, at: str) -> str | None:
        return "answer" if at in {"issue/bulk", "issue/bulkfetch"} else None

    result = await bench.push(transport=Lossy(create_app(bench.site), lose))

    assert {note.code for note in result.failed} == {Code.REQUEST_FAILED}
    assert all("not known yet whether it was created" in note.reason for note in result.failed)
    assert len(result.failed) == len(unsettled(bench)) == MANY
    await check_settled(bench, path, titles())


class Hanging(Creates):
    """Answers one batch, and no other."""

    async def answer(self, request: Request) -> Response:
        if len(self.batches) > 1:
            await trio.sleep_forever()
        return await super().answer(request)


async def test_the_keys_of_a_cancelled_push_are_written_after_one_request(bench: Bench) -> None:
    path = write(bench, drafts(60))
    with trio.move_on_after(10):
        await bench.push(transport=Hanging(bench))
    assert (len(new(bench)), len(unsettled(bench))) == (50, 60)
    wire = Creates(bench)

    await bench.push(transport=wire)

    assert len([each for each in wire.asked if '"fields": ["status"]' in each]) == 1
    assert new(bench) == sorted(titles(60))
    await check_settled(bench, path, titles(60))


async def test_a_dry_run_does_not_plan_what_a_cancelled_push_has_asked_for(bench: Bench) -> None:
    write(bench, drafts(60))
    with trio.move_on_after(10):
        await bench.push(transport=Hanging(bench))
    write(bench, "# TICKET: Another\n", "more.md")

    result = await bench.push(dry_run=True)

    assert (result.failed, [each.title for each in result.planned]) == ((), ["Another"])
    assert {each.code for each in result.left_alone} == {Code.MAYBE_CREATED}
    assert len(result.left_alone) == len(unsettled(bench)) == 60
    assert bench.writes == []
    known = [
        each for each in result.left_alone if each.reason.startswith("it was created as DEMO-")
    ]
    assert len(known) == 50


def push_cancelled_at(bench: Bench, step: int) -> tuple[AtStep, JobSnapshot]:
    instrument = AtStep(step)

    async def main() -> JobSnapshot:
        with trio.fail_after(3600):
            async with trio.open_nursery() as site, open_job_queue(workers=1) as queue:
                app = create_app(bench.site, latency=0.1)
                settings = bench.settings(transport=Detached(app, site))
                handle = await queue.submit(PushJob(**settings))
                instrument.arm(handle.cancel)
                snapshot = await handle.wait()
        return snapshot

    clock = MockClock(autojump_threshold=0)
    return instrument, trio.run(main, clock=clock, instruments=[instrument])


def test_a_push_of_batches_may_be_cancelled_at_any_of_a_sample_of_its_steps(
    tmp_path: Path,
) -> None:
    def bench_of(name: str) -> tuple[Bench, Path]:
        bench = Bench(make_site(tickets=12, seed=1), tmp_path / name)
        return bench, write(bench, drafts(12, "\n## Tasks\n- Part\n"))

    whole, _ = push_cancelled_at(bench_of("whole")[0], 10**9)
    seen = set()
    for step in random.Random(5).sample(range(1, whole.seen), 8):
        bench, path = bench_of(f"at-{step}")

        instrument, snapshot = push_cancelled_at(bench, step)

        seen.add(snapshot.status)
        assert instrument.fired or snapshot.status is JobStatus.COMPLETED
        counted = re.search(
            r"(\d+)/24 tickets pushed", str(snapshot.progress and snapshot.progress.message)
        )
        assert counted is None or int(counted[1]) <= len(new(bench))
        trio.run(finish, bench, path, clock=MockClock(autojump_threshold=0))
    assert JobStatus.CANCELLED in seen


async def finish(bench: Bench, path: Path) -> None:
    """Sync what a cancelled push has left, and see that nothing is there twice."""
    synced = await bench.sync()
    assert (synced.pull.failed, synced.push.failed, synced.push.conflicts) == ((), (), ())
    assert new(bench) == sorted([*titles(12), *["Part"] * 12])
    assert unsettled(bench) == []
    assert (await bench.sync()).push.total == 0
    tickets = parse(path.read_text()).tickets
    for ticket in tickets:
        assert ticket.key is not None
        assert bench.finds(ticket.key).summary == ticket.title
        parents = [bench.finds(task.key or "").parent for task in ticket.tasks]
        assert parents == [bench.finds(ticket.key).id]


CREATE = "POST issue"
SHAPES = {
    0: "302",
    1: "400",
    2: "403 of Jira",
    3: "403 of a gateway",
    4: "404",
    5: "409",
    6: "410",
    7: "413",
    8: "429",
    9: "429 with Retry-After",
}
WITH_MORE = f"{DRAFT}\n## Fields\nStatus: In Progress\n\n## Tasks\n- Part\n"


def refusing(bench: Bench, *turns: int | None) -> Wire:
    """Answer the creates in their order so, though they are carried out; None: as they should."""
    plan = [None if turn is None else Fault(FaultKind.REFUSED, turn=turn) for turn in turns]
    faults = PlannedFaults(*plan, method="POST", path="/issue?")
    return Wire(create_app(bench.site, faults=faults))


@pytest.mark.parametrize("turn", SHAPES, ids=SHAPES.get)
async def test_a_create_that_was_carried_out_is_found_whatever_the_answer(
    bench: Bench, turn: int
) -> None:
    path = write(bench, WITH_MORE)

    result = await bench.push(transport=refusing(bench, turn))

    assert result.failed == ()
    assert "DEMO-13" in result.created
    assert unsettled(bench) == []
    await bench.sync()
    assert (await bench.sync()).push.total == 0
    assert new(bench) == ["Once", "Part"]
    assert bench.finds("DEMO-13").status.name == "In Progress"
    (ticket,) = parse(path.read_text()).tickets
    assert [*ticket.keys()] == ["DEMO-13", "DEMO-14"]


@pytest.mark.parametrize("turn", SHAPES, ids=SHAPES.get)
async def test_one_push_makes_the_sub_tasks_of_what_was_refused_and_found(
    bench: Bench, turn: int
) -> None:
    """So it does if they are refused and found in their turn; nothing is left without a word."""
    write(bench, WITH_MORE)

    result = await bench.push(transport=refusing(bench, turn, turn))

    assert (result.created, result.failed) == (("DEMO-13", "DEMO-14"), ())
    assert new(bench) == ["Once", "Part"]
    assert (await bench.push()).total == 0


async def test_a_draft_that_was_refused_indeed_fails_with_jiras_words_and_is_a_draft(
    bench: Bench,
) -> None:
    write(bench, DRAFT)
    words = {"errorMessages": ["Not on Sundays."]}
    transport = Answering(bench, CREATE, 400, words, times=1)

    result = await bench.push(transport=transport)

    (note,) = result.failed
    assert "Not on Sundays." in note.reason
    assert note.code is Code.REFUSED_BY_JIRA
    assert transport.seen == 1
    assert trio.current_time() == 0  # Jira itself has answered, so nothing is on its way
    assert (unsettled(bench), new(bench)) == ([], [])
    assert (await bench.push()).created == ("DEMO-13",)


@pytest.mark.parametrize(
    "body",
    [{}, b"Blocked by policy.", {"message": "Forbidden"}],
    ids=["of no words", "of plain text", "of a gateway's JSON"],
)
async def test_a_page_of_something_before_jira_is_waited_for_as_a_lost_answer_is(
    bench: Bench, body: object
) -> None:
    write(bench, DRAFT)

    result = await bench.push(transport=Answering(bench, CREATE, 403, body, times=1))

    assert len(result.failed) == 1
    assert trio.current_time() == SETTLE


async def test_many_that_are_refused_are_looked_for_together(bench: Bench) -> None:
    write(bench, "\n".join(f"# TICKET: Number {number}\n" for number in range(9)))
    words = {"errorMessages": ["No."]}
    transport = Answering(bench, CREATE, 403, words, times=9)

    result = await bench.push(transport=transport)

    assert len(result.failed) == 9
    looks = [each for each in transport.asked if "ticketr.created" in each and "bulk" in each]
    assert len(looks) <= 12


async def test_a_field_that_was_sent_and_is_named_is_a_reason_so_nothing_is_looked_for(
    bench: Bench,
) -> None:
    write(bench, DRAFT)
    transport = Answering(bench, CREATE, 400, {"errors": {"summary": "Too dull."}}, times=1)

    result = await bench.push(transport=transport)

    assert "summary: Too dull." in result.failed[0].reason
    assert not [each for each in transport.asked if "ticketr.created" in each and "bulk" in each]
    assert unsettled(bench) == []


async def test_a_field_that_was_not_sent_is_none(bench: Bench) -> None:
    path = write(bench, DRAFT)

    result = await bench.push(
        transport=Answering(bench, CREATE, 400, {"errors": {"votes": "No."}}, times=1, taken=True)
    )

    assert result.created == ("DEMO-13",)
    await check_settled(bench, path)


async def test_after_a_refused_login_the_next_push_looks(bench: Bench) -> None:
    path = write(bench, DRAFT)

    with pytest.raises(JobFailed) as failed:
        await bench.push(transport=Answering(bench, CREATE, 401, times=1, taken=True))

    assert isinstance(failed.value.__cause__, AuthenticationFailed)
    await check_settled(bench, path)


async def test_a_429_that_is_none_is_asked_again_after_its_wait(bench: Bench) -> None:
    path = write(bench, DRAFT)
    transport = Answering(bench, CREATE, 429, headers={"retry-after": "60"}, times=1)

    result = await bench.push(transport=transport)

    assert result.created == ("DEMO-13",)
    assert transport.seen == 2
    assert 60 <= trio.current_time() <= 62
    await check_settled(bench, path)


async def test_a_429_with_a_wish_that_is_too_long_ends_it(bench: Bench) -> None:
    write(bench, DRAFT)
    headers = {"retry-after": "1800"}
    transport = Answering(bench, CREATE, 429, headers=headers, times=1)

    result = await bench.push(transport=transport)

    assert "try again in 30 minutes" in result.failed[0].reason
    assert transport.seen == 1


async def test_what_cannot_be_looked_for_is_left_to_the_next_run(bench: Bench) -> None:
    path = write(bench, DRAFT)

    class Blind(Answering):
        async def send(self, request: Request) -> Response:
            if b"ticketr.created" in (request.body or b"") and "bulkfetch" in request.url:
                raise ConnectionLost(request.url, "the cable was pulled")
            return await super().send(request)

    words = {"errorMessages": ["No."]}
    result = await bench.push(transport=Blind(bench, CREATE, 403, words, times=1, taken=True))

    (note,) = result.failed
    assert "(403: No.)" in note.reason
    assert "it is not known yet whether it was created, the next run finds out" in note.reason
    assert len(unsettled(bench)) == 1
    await check_settled(bench, path)


@pytest.mark.parametrize("turn", SHAPES, ids=SHAPES.get)
async def test_a_kill_between_the_answer_and_the_look_doubles_nothing(
    bench: Bench, turn: int
) -> None:
    path = write(bench, DRAFT)
    faults = PlannedFaults(Fault(FaultKind.REFUSED, turn=turn), method="POST", path="/issue?")
    app = create_app(bench.site, faults=faults)

    with trio.CancelScope() as scope:
        await bench.push(transport=Meanwhile(app, "POST", "issue", scope.cancel))

    assert scope.cancelled_caught
    assert len(unsettled(bench)) == 1
    await check_settled(bench, path)
