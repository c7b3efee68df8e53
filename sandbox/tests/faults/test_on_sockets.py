"""Faults on real sockets, and what a site holds after them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial

import httpx
import pytest
import trio
import trio.testing
from planned_faults import PlannedFaults
from sandbox_client import demo_site
from trio.testing import MockClock

from jira_sandbox import (
    EMAIL,
    TOKEN,
    Fault,
    FaultKind,
    Faults,
    FaultSource,
    Site,
    create_app,
    serve,
)

AUTH = (EMAIL, TOKEN)
REQUEST = b"GET /rest/api/3/serverInfo HTTP/1.1\r\nhost: x\r\nauthorization: Basic "
REQUEST += b"ZGVtb0BleGFtcGxlLmNvbTpkZW1v\r\n\r\n"


@asynccontextmanager
async def served(faults: FaultSource) -> AsyncGenerator[str]:
    async with trio.open_nursery() as nursery:
        start = partial(serve, create_app(demo_site(5), faults=faults))
        yield await nursery.start(start)
        nursery.cancel_scope.cancel()


async def received(url: str) -> tuple[bytes, bool]:
    """Return the response to one request, and whether the connection was reset after it."""
    host, port = url.removeprefix("http://").split(":")
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(REQUEST)
        some = b""
        with suppress(trio.BrokenResourceError):
            async for part in stream:
                some += part
            return some, False
        return some, True


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.LOST])
async def test_the_socket_is_reset_without_an_answer(kind: FaultKind) -> None:
    async with served(PlannedFaults(Fault(kind))) as url:
        assert await received(url) == (b"", True)


async def test_the_socket_is_reset_in_the_middle_of_the_body() -> None:
    async with served(PlannedFaults(Fault(FaultKind.RESET))) as url:
        some, was_reset = await received(url)

    assert was_reset
    head, _, body = some.partition(b"\r\n\r\n")
    (length,) = re.findall(rb"^content-length: (\d+)", head, re.MULTILINE)
    assert body.startswith(b'{"')
    assert len(body) == int(length) // 2


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.LOST, FaultKind.RESET, FaultKind.HANG])
async def test_the_next_connection_is_as_good_as_new(
    kind: FaultKind, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        served(PlannedFaults(Fault(kind), hang_for=0.01)) as url,
        httpx.AsyncClient(auth=AUTH, trust_env=False, timeout=None) as client,
    ):
        with pytest.raises(httpx.TransportError):
            await client.get(f"{url}/rest/api/3/serverInfo")
        again = await client.get(f"{url}/rest/api/3/serverInfo")

    assert again.json()["deploymentType"] == "Cloud"
    assert caplog.records == []  # the server logs no error


async def test_answers_with_an_error_leave_the_connection_open() -> None:
    faults = PlannedFaults(
        *(Fault(kind) for kind in (FaultKind.TOO_MANY, FaultKind.HTML, FaultKind.CUT))
    )
    async with (
        served(faults) as url,
        httpx.AsyncClient(base_url=url, auth=AUTH, trust_env=False, timeout=None) as client,
    ):
        answers = [await client.get("/rest/api/3/serverInfo") for _ in range(4)]
        streams = [answer.extensions["network_stream"] for answer in answers]
        ports = {stream.get_extra_info("client_addr") for stream in streams}

    assert [answer.status_code for answer in answers] == [429, 200, 200, 200]
    assert answers[0].headers["date"] == "Wed, 01 Oct 2025 12:00:00 GMT"
    assert "json" in answers[2].headers["content-type"]
    with pytest.raises(json.JSONDecodeError):
        answers[2].json()
    assert len(ports) == 1


async def test_a_hang_does_not_hold_up_the_end_of_the_server(mock_clock: MockClock) -> None:
    """The clock stands still: a server that waits for some time never ends."""
    async with trio.open_nursery() as nursery:
        app = create_app(demo_site(1), faults=PlannedFaults(Fault(FaultKind.HANG)))
        url = await nursery.start(partial(serve, app))
        stream = await trio.open_tcp_stream("127.0.0.1", int(url.rsplit(":", 1)[1]))
        await stream.send_all(REQUEST)
        await trio.testing.wait_all_tasks_blocked(0.05)
        nursery.cancel_scope.cancel()

    await stream.aclose()


async def test_a_hang_ends_when_its_client_leaves() -> None:
    app = create_app(demo_site(1), faults=PlannedFaults(Fault(FaultKind.HANG), hang_for=1e6))
    begun, ended = trio.Event(), trio.Event()

    async def watched(*arguments: object) -> None:
        begun.set()
        await app(*arguments)  # type: ignore[arg-type]
        ended.set()

    async with trio.open_nursery() as nursery:
        url = await nursery.start(partial(serve, watched))
        stream = await trio.open_tcp_stream("127.0.0.1", int(url.rsplit(":", 1)[1]))
        await stream.send_all(REQUEST)
        await begun.wait()
        await stream.aclose()
        with trio.fail_after(60):
            await ended.wait()
        nursery.cancel_scope.cancel()


STORY = {"project": {"key": "DEMO"}, "issuetype": {"name": "Story"}, "summary": "New"}


@asynccontextmanager
async def client_of(
    site: Site, faults: FaultSource, *, latency: float = 0.0
) -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(site, faults=faults, latency=latency))
    base = "http://jira.test/rest/api/3/"
    async with httpx.AsyncClient(transport=transport, base_url=base, auth=(EMAIL, TOKEN)) as client:
        yield client


@pytest.mark.parametrize(
    ("kind", "made"), [(FaultKind.LOST, 1), (FaultKind.RESET, 1), (FaultKind.DROP, 0)]
)
async def test_a_create_without_an_answer_was_carried_out_or_not(
    kind: FaultKind, made: int, autojump_clock: object
) -> None:
    site = demo_site(5)
    async with client_of(site, PlannedFaults(Fault(kind), method="POST", path="/issue")) as client:
        await client.get("issue/DEMO-1")
        with pytest.raises(ConnectionResetError):
            await client.post("issue", json={"fields": STORY})
        answer = await client.post("issue", json={"fields": STORY})

    assert answer.json()["key"] == f"DEMO-{6 + made}"
    assert len(site) == 6 + made


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "kind", [FaultKind.INTERNAL, FaultKind.BAD_GATEWAY, FaultKind.UNAVAILABLE, FaultKind.HTML]
)
async def test_a_delete_with_an_error_response_may_have_been_carried_out(
    kind: FaultKind, after: bool, autojump_clock: object
) -> None:
    site = demo_site(5)
    async with client_of(site, PlannedFaults(Fault(kind, after))) as client:
        answer = await client.delete("issue/DEMO-5")

    assert answer.status_code == (200 if kind is FaultKind.HTML else int(kind.value))
    assert (site.find("DEMO-5") is None) is after


async def test_a_rate_limit_on_a_write_is_one_of_its_issue_and_nothing_is_done(
    autojump_clock: object,
) -> None:
    site = demo_site(5)
    body = {"fields": {"summary": "Other"}}
    async with client_of(site, PlannedFaults(Fault(FaultKind.TOO_MANY, turn=1))) as client:
        refused = await client.put("issue/DEMO-5", json=body)
        unchanged = site.revision
        accepted = await client.put("issue/DEMO-5", json=body)

    assert (refused.status_code, accepted.status_code) == (429, 204)
    assert refused.headers["ratelimit-reason"] == "jira-per-issue-on-write"
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["x-ratelimit-reset"] == "2025-10-01T12:01:00Z"
    assert unchanged == 0


async def test_a_fault_response_has_the_latency_and_the_date_of_others(
    autojump_clock: object,
) -> None:
    began = trio.current_time()
    faults = PlannedFaults(Fault(FaultKind.INTERNAL))
    async with client_of(demo_site(5), faults, latency=0.25) as client:
        answer = await client.get("serverInfo")

    assert answer.status_code == 500
    assert answer.headers["date"] == "Wed, 01 Oct 2025 12:00:00 GMT"
    assert trio.current_time() - began == 0.25


async def statuses(seed: int) -> dict[str, int]:
    """Request a hundred issues at once; return the result of each."""
    found: dict[str, int] = {}
    faults = Faults.parse(f"429=0.2,500=0.2,lost=0.1,hang=0.1,seed={seed}")
    async with client_of(demo_site(100), faults) as client, trio.open_nursery() as nursery:

        async def ask(key: str) -> None:
            try:
                found[key] = (await client.get(f"issue/{key}")).status_code
            except ConnectionResetError:
                found[key] = 0

        for number in range(1, 101):
            nursery.start_soon(ask, f"DEMO-{number}")
    return found


async def test_clients_that_ask_at_once_meet_the_same_faults_in_every_run(
    autojump_clock: object,
) -> None:
    first, second, other = await statuses(1), await statuses(1), await statuses(2)

    assert first == second
    assert first != other
    assert set(first.values()) == {0, 200, 429, 500}
