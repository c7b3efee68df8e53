"""The fault middleware in virtual time, in front of an application that counts requests."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest
import trio
from planned_faults import PlannedFaults
from starlette.types import Message, Receive, Scope, Send

from jira_sandbox import Fault, FaultKind, Faults, FaultSource
from jira_sandbox.faults.middleware import RESET_CONNECTION, FaultMiddleware

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


async def test_a_request_without_a_fault_goes_through_whole(autojump_clock: object) -> None:
    site = Site()

    answer = await post(site, PlannedFaults())

    assert (answer.status_code, answer.content) == (201, CREATED)
    assert site.done == [BODY]


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


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("kind", ANSWERED)
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


BREAKING = [
    (FaultKind.DROP, False, CREATED),
    (FaultKind.LOST, True, CREATED),
    (FaultKind.RESET, True, CREATED),
    (FaultKind.RESET, True, b""),
    (FaultKind.CUT, True, b""),
]


@pytest.mark.parametrize(("kind", "carried_out", "answer"), BREAKING)
async def test_a_broken_connection_is_an_error_that_leaves_the_app(
    kind: FaultKind, carried_out: bool, answer: bytes, autojump_clock: object
) -> None:
    site = Site(answer)

    with pytest.raises(ConnectionResetError):
        await post(site, PlannedFaults(Fault(kind)))

    assert site.done == ([BODY] if carried_out else [])


async def sent(fault: Fault, *, extension: bool) -> list[Message]:
    """Return what the application sends to a server with the extension, or raises without it."""
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [],
        "extensions": {RESET_CONNECTION: {}} if extension else {},
    }
    await door(Site(), PlannedFaults(fault))(scope, receive, send)
    return messages


async def test_a_server_with_the_extension_gets_a_reset_after_half_the_body(
    autojump_clock: object,
) -> None:
    start, body, end = await sent(Fault(FaultKind.RESET), extension=True)

    assert dict(start["headers"])[b"content-length"] == b"%d" % len(CREATED)
    assert (body["body"], body["more_body"]) == (CREATED[: len(CREATED) // 2], True)
    assert end == {"type": RESET_CONNECTION}


async def test_a_server_with_the_extension_gets_a_reset_without_a_response(
    autojump_clock: object,
) -> None:
    assert await sent(Fault(FaultKind.LOST), extension=True) == [{"type": RESET_CONNECTION}]


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


async def test_a_hang_can_be_cancelled(autojump_clock: object) -> None:
    began = trio.current_time()

    with trio.move_on_after(2) as scope:
        await post(Site(), PlannedFaults(Fault(FaultKind.HANG, after=True)))

    assert scope.cancelled_caught
    assert trio.current_time() - began == 2


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
