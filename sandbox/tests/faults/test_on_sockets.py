"""Faults on real sockets: the errors that a client's operating system reports."""

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

from jira_sandbox import EMAIL, TOKEN, Fault, FaultKind, FaultSource, create_app, serve

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
        httpx.AsyncClient(auth=AUTH, trust_env=False) as client,
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
        httpx.AsyncClient(base_url=url, auth=AUTH, trust_env=False) as client,
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


async def test_a_hang_does_not_hold_up_the_end_of_the_server() -> None:
    async with trio.open_nursery() as nursery:
        app = create_app(demo_site(1), faults=PlannedFaults(Fault(FaultKind.HANG)))
        url = await nursery.start(partial(serve, app))
        stream = await trio.open_tcp_stream("127.0.0.1", int(url.rsplit(":", 1)[1]))
        await stream.send_all(REQUEST)
        await trio.testing.wait_all_tasks_blocked(0.05)
        nursery.cancel_scope.cancel()
        before = trio.current_time()

    assert trio.current_time() - before < 1
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
