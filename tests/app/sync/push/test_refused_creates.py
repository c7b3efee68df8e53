"""Creates that were carried out though the answer says that they were refused."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
import trio
from fakes.lossy import Meanwhile
from fakes.pulls import Bench, Recorder
from fakes.unsettled import DRAFT, SETTLE, check_settled, new, unsettled, write
from fakes.wire import Wire
from planned_faults import PlannedFaults

from jira_sandbox import Fault, FaultKind, create_app
from ticketr import JobFailed
from ticketr.app.jira import AuthenticationFailed, ConnectionLost
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code
from ticketr.app.tickets import parse

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


class Answering(Recorder):
    """Answers the first creates itself, after or instead of carrying them out."""

    def __init__(
        self,
        bench: Bench,
        status: int,
        body: object = None,
        *,
        times: int = 1,
        carry_out: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(create_app(bench.site))
        self._status = status
        self._body = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        self._left, self._carry_out, self._headers = times, carry_out, dict(headers or {})
        self.creates = 0

    async def send(self, request: Request) -> Response:
        if request.method != "POST" or not request.url.endswith("/issue"):
            return await super().send(request)
        self.creates += 1
        if not self._left:
            return await super().send(request)
        self._left -= 1
        if self._carry_out:
            await super().send(request)
        return Response(self._status, self._headers, self._body, request.url)


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


async def test_what_jira_made_though_it_refused_is_told(bench: Bench) -> None:
    write(bench, WITH_MORE)

    result = await bench.push(transport=refusing(bench, 2))

    (note,) = result.warnings
    assert (note.key, note.path, note.code) == ("DEMO-13", "drafts.md", Code.REFUSED)
    assert note.reason == (
        "it was created, although the answer was 403: You do not have the permission."
    )


async def test_a_draft_that_was_refused_indeed_fails_with_jiras_words_and_is_a_draft(
    bench: Bench,
) -> None:
    write(bench, DRAFT)
    words = {"errorMessages": ["Not on Sundays."]}
    transport = Answering(bench, 400, words, carry_out=False)

    result = await bench.push(transport=transport)

    (note,) = result.failed
    assert "Not on Sundays." in note.reason
    assert note.code is Code.REFUSED
    assert transport.creates == 1
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

    result = await bench.push(transport=Answering(bench, 403, body, carry_out=False))

    assert len(result.failed) == 1
    assert trio.current_time() == SETTLE


async def test_many_that_are_refused_are_looked_for_together(bench: Bench) -> None:
    write(bench, "\n".join(f"# TICKET: Number {number}\n" for number in range(9)))
    words = {"errorMessages": ["No."]}
    transport = Answering(bench, 403, words, times=9, carry_out=False)

    result = await bench.push(transport=transport)

    assert len(result.failed) == 9
    looks = [each for each in transport.asked if "ticketr.created" in each and "bulk" in each]
    assert len(looks) <= 12


async def test_a_field_that_was_sent_and_is_named_is_a_reason_so_nothing_is_looked_for(
    bench: Bench,
) -> None:
    write(bench, DRAFT)
    transport = Answering(bench, 400, {"errors": {"summary": "Too dull."}}, carry_out=False)

    result = await bench.push(transport=transport)

    assert "summary: Too dull." in result.failed[0].reason
    assert not [each for each in transport.asked if "ticketr.created" in each and "bulk" in each]
    assert unsettled(bench) == []


async def test_a_field_that_was_not_sent_is_none(bench: Bench) -> None:
    path = write(bench, DRAFT)

    result = await bench.push(transport=Answering(bench, 400, {"errors": {"votes": "No."}}))

    assert result.created == ("DEMO-13",)
    await check_settled(bench, path)


async def test_after_a_refused_login_the_next_push_looks(bench: Bench) -> None:
    path = write(bench, DRAFT)

    with pytest.raises(JobFailed) as failed:
        await bench.push(transport=Answering(bench, 401))

    assert isinstance(failed.value.__cause__, AuthenticationFailed)
    await check_settled(bench, path)


async def test_a_429_that_is_none_is_asked_again_after_its_wait(bench: Bench) -> None:
    path = write(bench, DRAFT)
    transport = Answering(bench, 429, carry_out=False, headers={"retry-after": "60"})

    result = await bench.push(transport=transport)

    assert result.created == ("DEMO-13",)
    assert transport.creates == 2
    assert 60 <= trio.current_time() <= 62
    await check_settled(bench, path)


async def test_a_429_with_a_wish_that_is_too_long_ends_it(bench: Bench) -> None:
    write(bench, DRAFT)
    headers = {"retry-after": "1800"}
    transport = Answering(bench, 429, carry_out=False, headers=headers)

    result = await bench.push(transport=transport)

    assert "try again in 30 minutes" in result.failed[0].reason
    assert transport.creates == 1


async def test_what_cannot_be_looked_for_is_left_to_the_next_run(bench: Bench) -> None:
    path = write(bench, DRAFT)

    class Blind(Answering):
        async def send(self, request: Request) -> Response:
            if b"ticketr.created" in (request.body or b"") and "bulkfetch" in request.url:
                raise ConnectionLost(request.url, "the cable was pulled")
            return await super().send(request)

    result = await bench.push(transport=Blind(bench, 403, {"errorMessages": ["No."]}))

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
