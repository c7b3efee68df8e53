"""Faults: their specification, their source, their answers, and how they are carried out."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime

import httpx
import pytest
import trio
from planned_faults import PlannedFaults
from rows import for_each
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from jira_sandbox import BadFaults, Fault, FaultKind, Faults, FaultSource
from jira_sandbox.faults.middleware import FaultMiddleware
from jira_sandbox.faults.responses import fault_response
from jira_sandbox.faults.source import is_write
from jira_sandbox.faults.spec import USUAL_RATE

URL = "http://127.0.0.1/rest/api/3/issue"
BODY = json.dumps({"fields": {"summary": "Zoë"}}).encode()
CREATED = b'{"id":"10001","key":"DEMO-1"}'


class Site:
    """An application that counts the requests that it carries out."""

    def __init__(self, answer: bytes = CREATED) -> None:
        self.answer = answer
        self.done: list[bytes] = []

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        self.done.append(body + message["body"])
        length = (b"content-length", b"%d" % len(self.answer))
        await send({"type": "http.response.start", "status": 201, "headers": [length]})
        await send({"type": "http.response.body", "body": self.answer})


def door(site: Site, faults: FaultSource) -> FaultMiddleware:
    return FaultMiddleware(site, faults, lambda: datetime(2025, 10, 1, 12, tzinfo=UTC))


async def post(site: Site, faults: FaultSource) -> httpx.Response:
    transport = httpx.ASGITransport(door(site, faults))
    async with httpx.AsyncClient(transport=transport) as client:
        return await client.post(URL, content=BODY)


async def test_a_huge_request_goes_through_whole(autojump_clock: object) -> None:
    site, body = Site(), b"x" * 5_000_000
    parts = [body[:1_900_000], body[1_900_000:2_100_000], body[2_100_000:]]

    async def pieces() -> object:
        for part in parts:
            yield part

    transport = httpx.ASGITransport(door(site, PlannedFaults()))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.post(URL, content=pieces())  # type: ignore[arg-type]

    assert site.done == [body]


ANSWERED = (FaultKind.INTERNAL, FaultKind.BAD_GATEWAY, FaultKind.UNAVAILABLE, FaultKind.HTML)


@for_each("carried_out", [False, True])
@for_each("kind", ANSWERED)
async def test_an_error_comes_before_the_work_or_after(
    kind: FaultKind, carried_out: bool, autojump_clock: object
) -> None:
    site = Site()

    answer = await post(site, PlannedFaults(Fault(kind, carried_out)))

    assert answer.status_code == (200 if kind is FaultKind.HTML else int(kind.value))
    assert site.done == ([BODY] if carried_out else [])


async def test_a_cut_answer_is_no_json_and_has_the_right_length(autojump_clock: object) -> None:
    site = Site()

    answer = await post(site, PlannedFaults(Fault(FaultKind.CUT)))

    assert answer.status_code == 201
    assert answer.content == CREATED[: len(CREATED) // 2]
    assert answer.headers["content-length"] == str(len(answer.content))
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert site.done == [BODY]


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_hang_is_silence_until_its_bound_and_then_a_broken_connection(
    carried_out: bool, autojump_clock: object
) -> None:
    site, began = Site(), trio.current_time()

    with pytest.raises(ConnectionResetError):
        await post(site, PlannedFaults(Fault(FaultKind.HANG, carried_out), hang_for=7.5))

    assert trio.current_time() - began == 7.5
    assert site.done == ([BODY] if carried_out else [])


async def test_a_hang_ends_when_the_client_leaves(autojump_clock: object) -> None:
    began = trio.current_time()
    messages = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.request", "body": b"}", "more_body": False},
    ]

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        await trio.sleep(3)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope: Scope = {"type": "http", "method": "POST", "raw_path": b"/", "query_string": b""}
    await door(Site(), PlannedFaults(Fault(FaultKind.HANG)))(scope, receive, send)

    assert trio.current_time() - began == 3


async def test_random_faults_carry_out_as_many_requests_as_they_announce(
    autojump_clock: object,
) -> None:
    site, faults = Site(), Faults.parse("lost=0.25,drop=0.25,seed=5")
    broken = 0

    for _ in range(400):
        try:
            await post(site, faults)
        except ConnectionResetError:
            broken += 1

    assert 160 < broken < 240
    assert 260 < len(site.done) < 340


async def test_other_asgi_scopes_are_passed_on(autojump_clock: object) -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_message: object) -> Message:
        raise AssertionError

    faults = PlannedFaults(Fault(FaultKind.DROP))
    closed = FaultMiddleware(app, faults, lambda: datetime(2025, 10, 1, tzinfo=UTC))
    await closed({"type": "websocket"}, nothing, nothing)  # type: ignore[arg-type]

    assert seen == ["websocket"]
    assert len(faults.left) == 1


NOW = datetime(2025, 10, 8, 14, 59, 30, tzinfo=UTC)


def shapes(
    kind: FaultKind, method: str = "PUT", path: str = "/rest/api/3/issue/A-1"
) -> list[Response]:
    """Return each variant of a fault's response once."""
    made = [
        fault_response(Fault(kind, turn=turn), method=method, path=path, now=NOW, retry_within=2)
        for turn in range(24)
    ]
    return list({(each.body, str(each.raw_headers)): each for each in made}.values())


def test_a_429_tells_its_limit_and_when_it_is_over() -> None:
    told = [
        answer.headers
        for answer in shapes(FaultKind.TOO_MANY)
        if "x-ratelimit-limit" in answer.headers
    ]

    assert len(told) > 3
    for headers in told:
        assert headers["x-ratelimit-remaining"] == "0"
        assert headers["x-ratelimit-reset"] == "2025-10-08T15:00:00Z"


def test_a_429_on_a_write_may_be_about_its_issue_alone() -> None:
    def reasons(method: str, path: str) -> set[str | None]:
        answers = shapes(FaultKind.TOO_MANY, method, path)
        return {answer.headers.get("ratelimit-reason") for answer in answers} - {None}

    always = {"jira-burst-based", "jira-quota-tenant-based"}
    assert reasons("PUT", "/rest/api/3/issue/A-1") == {*always, "jira-per-issue-on-write"}
    assert reasons("GET", "/rest/api/3/issue/A-1") == always


@for_each(
    ("method", "path", "expected"),
    [
        ("POST", "/rest/api/3/issue", True),
        ("POST", "/rest/api/3/issue/A-1/transitions", True),
        ("DELETE", "/rest/api/2/issue/10001", True),
        ("DELETE", "/rest/api/3/attachment/10001", True),
        ("POST", "/rest/api/3/issue/bulkfetch", False),
        ("POST", "/rest/api/3/comment/list", False),
        ("POST", "/rest/api/3/search/jql", False),
        ("GET", "/rest/api/3/issue/A-1", False),
    ],
)
def test_what_may_change_an_issue_is_a_write(method: str, path: str, *, expected: bool) -> None:
    assert is_write(method, path) is expected


@pytest.mark.parametrize("kind", [FaultKind.TOO_MANY, FaultKind.UNAVAILABLE])
def test_some_ask_to_wait_and_some_do_not(kind: FaultKind) -> None:
    asked = {answer.headers.get("retry-after") for answer in shapes(kind)}

    assert None in asked
    assert asked >= {"1", "2"}


def test_a_429_with_beta_names_alone_says_only_there_how_long_to_wait() -> None:
    betas = [
        answer for answer in shapes(FaultKind.TOO_MANY) if "beta-retry-after" in answer.headers
    ]

    assert betas
    for answer in betas:
        assert "retry-after" not in answer.headers
        assert answer.headers["x-beta-ratelimit-reset"] == "2025-10-08T15:00Z"
        assert answer.headers["beta-ratelimit"].startswith('"jira-burst-based";r=0;t=')


@pytest.mark.parametrize(
    "kind", [FaultKind.TOO_MANY, FaultKind.INTERNAL, FaultKind.BAD_GATEWAY, FaultKind.UNAVAILABLE]
)
def test_errors_come_as_json_as_pages_and_as_nothing(kind: FaultKind) -> None:
    answers = shapes(kind)

    assert {answer.status_code for answer in answers} == {int(kind.value)}
    assert any(b"<html>" in bytes(answer.body) for answer in answers)
    for answer in answers:
        if answer.headers.get("content-type", "").startswith("application/json"):
            assert json.loads(bytes(answer.body))["errorMessages"]


def test_a_refusal_of_what_was_carried_out_has_any_status_that_one_can_have() -> None:
    statuses = {answer.status_code for answer in shapes(FaultKind.REFUSED)}

    assert statuses == {302, 400, 403, 404, 409, 410, 413, 429}


REQUESTS = [("POST", f"/rest/api/3/issue/{number}?", b"{}") for number in range(300)]


def fates(faults: Faults, requests: list[tuple[str, str, bytes]]) -> dict[str, Fault | None]:
    return {request[1]: faults.draw(*request) for request in requests}


def test_the_same_seed_gives_each_request_the_same_fault_in_any_order() -> None:
    shuffled = random.Random(1).sample(REQUESTS, len(REQUESTS))

    assert fates(Faults.parse("all"), shuffled) == fates(Faults.parse("all"), REQUESTS)


def test_another_seed_gives_other_faults() -> None:
    assert fates(Faults.parse("all"), REQUESTS) != fates(Faults.parse("all,seed=2"), REQUESTS)


def test_a_request_that_is_repeated_draws_again() -> None:
    faults = Faults.parse("drop=0.5")

    drawn = [faults.draw(*REQUESTS[0]) is None for _ in range(100)]

    assert 30 < sum(drawn) < 70


def test_the_method_the_query_and_the_body_make_another_request() -> None:
    faults = Faults.parse("all=0.1")
    around = [("GET", "/a?b", b""), ("GET", "/a?", b"b"), ("PUT", "/a?b", b""), ("GET", "/", b"")]

    assert len({faults.draw(*request) for request in around}) == len(around)


def test_each_kind_comes_as_often_as_its_rate_says() -> None:
    faults = Faults({FaultKind.TOO_MANY: 0.2, FaultKind.LOST: 0.1}, seed=3)

    drawn = Counter(
        fault and fault.kind for fault in (faults.draw("GET", f"/{n}?", b"") for n in range(5000))
    )

    assert abs(drawn[FaultKind.TOO_MANY] - 1000) < 100
    assert abs(drawn[FaultKind.LOST] - 500) < 80
    assert drawn.total() - drawn[None] == drawn[FaultKind.TOO_MANY] + drawn[FaultKind.LOST]


def test_rates_that_add_up_to_one_leave_no_request_unharmed() -> None:
    assert None not in fates(Faults.parse("all=0.1"), REQUESTS).values()


def test_some_faults_come_before_the_request_is_carried_out_and_some_after() -> None:
    drawn = [fault for fault in fates(Faults.parse("all=0.1"), REQUESTS).values() if fault]
    seen = {
        kind: {fault.carried_out for fault in drawn if fault.kind is kind} for kind in FaultKind
    }

    assert seen[FaultKind.TOO_MANY] == seen[FaultKind.DROP] == {False}
    assert seen[FaultKind.LOST] == seen[FaultKind.RESET] == seen[FaultKind.CUT] == {True}
    either = (
        FaultKind.INTERNAL,
        FaultKind.BAD_GATEWAY,
        FaultKind.UNAVAILABLE,
        FaultKind.HTML,
        FaultKind.HANG,
    )
    assert all(seen[kind] == {False, True} for kind in either)


def test_only_writes_are_refused_though_they_are_carried_out() -> None:
    faults = Faults.parse("refused=1")

    assert faults.draw("GET", "/rest/api/3/issue/A-1?", b"") is None
    assert faults.draw("POST", "/rest/api/3/issue/bulkfetch?", b"") is None
    fault = faults.draw("POST", "/rest/api/3/issue?", b"")
    assert fault is not None
    assert (fault.kind, fault.carried_out) == (FaultKind.REFUSED, True)


def test_a_specification_names_rates_and_settings() -> None:
    faults = Faults.parse("429=0.05, reset=0.02,hang=1e-2,seed=7,wait=5,hang-for=1.5")

    assert faults.rates == {FaultKind.TOO_MANY: 0.05, FaultKind.RESET: 0.02, FaultKind.HANG: 0.01}
    assert (faults.seed, faults.retry_within, faults.hang_for) == (7, 5, 1.5)


def test_all_means_every_usual_kind_and_gives_way_to_one_that_is_named() -> None:
    usual = [kind for kind in FaultKind if kind is not FaultKind.REFUSED]
    assert Faults.parse("all").rates == dict.fromkeys(usual, USUAL_RATE)
    assert Faults.parse("all=0.1").rates == dict.fromkeys(usual, 0.1)
    assert Faults.parse("hang=0,all=0.01").rates == dict.fromkeys(usual, 0.01) | {FaultKind.HANG: 0}


def test_refusals_of_what_was_carried_out_have_to_be_named() -> None:
    assert Faults.parse("all=0.01,refused=0.5").rates[FaultKind.REFUSED] == 0.5


@for_each(
    ("text", "problem"),
    [
        (
            "",
            "'' is not one of all, 429, 500, 502, 503, html, drop, lost, reset, cut, hang, refused, seed",
        ),
        ("429=0.1,", "'' is not one of"),
        ("404=0.1", "'404' is not one of"),
        ("429=0.1,429=0.2", "429 is given twice"),
        ("429=often", "429 needs a number, as in 429=1, not 'often'"),
        ("429=", "429 needs a number"),
        ("429=nan", "429 needs a number"),
        ("429=1.5", "429 is 1.5, but a rate is between 0 and 1"),
        ("429=-0.1", "429 is -0.1, but a rate is between 0 and 1"),
        ("429=0.6,500=0.6", "the rates add up to 1.2, which is more than 1"),
        ("all=0.2", "the rates add up to 2,"),
        ("seed=7", "no fault is named; all stands for every one"),
        ("all,seed", "seed needs a number"),
        ("all,seed=1.5", "seed is 1.5, but must be a whole number"),
        ("all,wait=-1", "wait is -1, but must not be negative"),
        ("all,hang-for=inf", "hang-for needs a number"),
    ],
)
def test_an_invalid_specification_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(BadFaults) as caught:
        Faults.parse(text)

    assert str(caught.value).startswith(f"the faults {text!r} are invalid: {problem}")
