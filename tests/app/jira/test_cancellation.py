"""Test cancelling a request at each stage, on a real socket and the real clock."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
import trio.testing
from fakes.jira_raw import (
    Answer,
    RawSite,
    authority,
    deaf_site,
    half_body,
    half_head,
    mute_site,
    raw_site,
    reply,
    silence,
)

from ticketr.app.jira import Credentials, JiraClient, open_jira
from ticketr.app.jira.errors import ConnectionLost
from ticketr.app.jira.transport import HttpPackage, Request, Transport, make_transport

ME = reply({"accountId": "1", "displayName": "Mia"})
LARGE = b"x" * 30_000_000
Get = Callable[[], Awaitable[object]]


@pytest.fixture(autouse=True)
def _no_short_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the limit on closing a connection long, so that a cancel that waits for it is seen."""
    for module in ("_asks", "_httpx"):
        monkeypatch.setattr(f"ticketr.app.jira.transport.{module}.CLOSE_TIMEOUT", 1000.0)


def account(url: str) -> Credentials:
    return Credentials(url, "mia@example.com", "a-token")


async def cancel_when(
    ready: Callable[[], Awaitable[None]], run: Callable[[], Awaitable[object]]
) -> None:
    """Cancel a call once it is at the given stage, and check that it ends at once."""
    with trio.fail_after(100):
        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope()

            async def cancelled() -> None:
                with scope:
                    await run()

            nursery.start_soon(cancelled)
            await ready()
            scope.cancel()
            start = trio.current_time()
        assert scope.cancelled_caught
        assert trio.current_time() - start < 20  # below every time limit
    gc.collect()  # an unfinished coroutine would warn now


async def a_while() -> None:
    """Wait until a connection has probably been requested; no event says when."""
    await trio.sleep(0.1)


async def settle(site: RawSite, requests: int) -> None:
    await site.wait_for_requests(requests)
    await trio.sleep(0.02)  # real sockets: the sent bytes must arrive


@pytest.mark.unmeasured
@pytest.mark.parametrize("certificate", ["", "good"], ids=["http", "https"])
@pytest.mark.parametrize("hanging", [silence, half_head, half_body])
async def test_a_cancel_in_the_answer_is_at_once_and_its_connection_is_not_used_again(
    package: HttpPackage, hanging: Answer, certificate: str
) -> None:
    async with (
        raw_site(ME, hanging, ME, certificate=certificate) as site,
        make_transport(package, verify=authority()) as transport,
    ):
        get = partial(transport.send, Request("GET", site.url))
        await get()
        await cancel_when(lambda: settle(site, 2), get)
        with trio.fail_after(20):
            await site.connections[0].closed.wait()
            assert b"Mia" in (await get()).body
        assert [len(connection.requests) for connection in site.connections] == [2, 1]


async def test_a_connection_is_used_again_after_a_whole_answer(package: HttpPackage) -> None:
    async with raw_site(ME) as site, make_transport(package) as transport:
        for _ in range(3):
            await transport.send(Request("GET", site.url))
        assert [len(connection.requests) for connection in site.connections] == [3]


async def test_a_cancel_while_connecting_is_at_once(package: HttpPackage) -> None:
    async with deaf_site() as url, make_transport(package, connect_timeout=1000.0) as transport:
        await cancel_when(a_while, partial(transport.send, Request("GET", url)))


async def test_a_cancel_in_the_handshake_is_at_once_and_closes_the_connection(
    package: HttpPackage,
) -> None:
    async with mute_site() as site, make_transport(package, connect_timeout=1000.0) as transport:
        site.reads.set()
        request = Request("GET", f"https://127.0.0.1:{site.port}")
        await cancel_when(site.connected.wait, partial(transport.send, request))
        with trio.fail_after(20):
            await site.closed.wait()


async def test_a_cancel_while_sending_is_at_once_and_closes_the_connection(
    package: HttpPackage,
) -> None:
    async with mute_site() as site, make_transport(package) as transport:

        async def stuck() -> None:
            await site.connected.wait()
            await trio.sleep(0.1)  # until every buffer is full

        request = Request("POST", f"http://127.0.0.1:{site.port}", {}, LARGE)
        await cancel_when(stuck, partial(transport.send, request))
        site.reads.set()
        with trio.fail_after(20):
            await site.closed.wait()


async def test_a_cancel_while_waiting_for_a_place_leaves_the_place_to_others(
    package: HttpPackage,
) -> None:
    async with (
        raw_site(silence, ME) as site,
        open_jira(account(site.url), transport=make_transport(package), max_concurrency=1) as jira,
        trio.open_nursery() as nursery,
    ):
        first = trio.CancelScope()

        async def hold() -> None:
            with first:
                await jira.myself()

        nursery.start_soon(hold)
        await site.wait_for_requests(1)
        await cancel_when(trio.testing.wait_all_tasks_blocked, jira.myself)
        assert site.requests == 1
        first.cancel()
        with trio.fail_after(20):
            assert (await jira.myself()).account_id == "1"


async def test_a_cancel_of_everything_closes_every_connection(package: HttpPackage) -> None:
    async with raw_site(silence) as site:

        async def three(jira: JiraClient) -> None:
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(jira.myself)

        async def session() -> None:
            transport = make_transport(package)
            async with open_jira(account(site.url), transport=transport) as jira:
                await three(jira)

        await cancel_when(lambda: site.wait_for_requests(3), session)
        with trio.fail_after(20):
            await site.wait_until_left()
        assert len(site.connections) == 3


async def test_idle_connections_are_closed_at_the_end_even_of_a_cancelled_block(
    package: HttpPackage,
) -> None:
    async with raw_site(ME) as site:
        with trio.CancelScope() as scope:
            async with make_transport(package) as transport:
                async with trio.open_nursery() as nursery:
                    for _ in range(3):
                        nursery.start_soon(transport.send, Request("GET", site.url))
                scope.cancel()
        with trio.fail_after(20):
            await site.wait_until_left()


async def test_closing_ends_running_requests(package: HttpPackage) -> None:
    async def asking(transport: Transport, url: str) -> None:
        with pytest.raises(ConnectionLost):
            await transport.send(Request("GET", url))

    async with raw_site(silence) as site, trio.open_nursery() as nursery:
        transport = await make_transport(package).__aenter__()
        nursery.start_soon(asking, transport, site.url)
        await site.wait_for_requests(1)
        await transport.__aexit__(None, None, None)
        with trio.fail_after(20):
            await site.wait_until_left()


@pytest.mark.parametrize("certificate", ["", "good"], ids=["http", "https"])
async def test_a_cancel_at_any_step_leaves_a_transport_that_works(
    package: HttpPackage, certificate: str
) -> None:
    """Cancel at each scheduling step in turn, first on a new connection and then on a used one."""
    finished = cancelled = steps = 0
    async with raw_site(ME, certificate=certificate) as site:
        with trio.fail_after(100):
            while finished < 3:
                async with make_transport(package, verify=authority()) as transport:
                    get = partial(transport.send, Request("POST", site.url, {}, b"{}"))
                    for _ in range(2):
                        async with trio.open_nursery() as nursery:
                            scope = trio.CancelScope()

                            async def request(
                                scope: trio.CancelScope = scope, get: Get = get
                            ) -> None:
                                with scope:
                                    await get()

                            nursery.start_soon(request)
                            for _ in range(steps):
                                await trio.lowlevel.checkpoint()
                            scope.cancel()
                        cancelled += scope.cancelled_caught
                        finished += not scope.cancelled_caught
                        assert b"Mia" in (await get()).body
                        await site.wait_for_one()
                steps += 1
        assert cancelled > 5
        with trio.fail_after(20):
            await site.wait_until_left()
