"""Cancelling a request on a real socket, wherever it stands, on the real clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from fakes.jira_raw import (
    Answer,
    RawSite,
    deaf_site,
    half_body,
    half_head,
    raw_site,
    reply,
    silence,
)

from ticketr.jira import Credentials, JiraClient, open_jira

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ME = reply({"accountId": "1", "displayName": "Mia"})


def account(url: str) -> Credentials:
    return Credentials(url, "mia@example.com", "a-token")


async def cancel_when(
    ready: Callable[[], Awaitable[None]], run: Callable[[], Awaitable[object]]
) -> None:
    """Cancel something when it stands where it should, and see that it ends by that."""
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope()

            async def cancelled() -> None:
                with scope:
                    await run()

            nursery.start_soon(cancelled)
            await ready()
            scope.cancel()
        assert scope.cancelled_caught


async def a_while() -> None:
    """Give a connection time to be asked for; nothing tells when it is."""
    await trio.sleep(0.1)


async def settle(site: RawSite, requests: int) -> None:
    await site.wait_for_requests(requests)
    await trio.sleep(0.02)  # real sockets: what was sent has to arrive


@pytest.mark.parametrize("hanging", [silence, half_head, half_body])
async def test_a_cancel_in_the_answer_is_at_once_and_its_connection_is_not_used_again(
    hanging: Answer,
) -> None:
    async with raw_site(ME, hanging, ME) as site, open_jira(account(site.url)) as jira:
        await jira.myself()
        await cancel_when(lambda: settle(site, 2), jira.myself)
        with trio.fail_after(5):
            await site.connections[0].closed.wait()
            assert (await jira.myself()).display_name == "Mia"
        assert [len(connection.requests) for connection in site.connections] == [2, 1]


async def test_a_connection_is_used_again_after_a_whole_answer() -> None:
    async with raw_site(ME) as site, open_jira(account(site.url)) as jira:
        await jira.myself()
        await jira.myself()
        assert [len(connection.requests) for connection in site.connections] == [2]


async def test_a_cancel_while_connecting_is_at_once() -> None:
    async with deaf_site() as url, open_jira(account(url)) as jira:
        await cancel_when(a_while, jira.myself)


async def test_a_cancel_while_waiting_for_a_place_leaves_the_place_to_others() -> None:
    async with (
        raw_site(silence, ME) as site,
        open_jira(account(site.url), max_concurrency=1) as jira,
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
        with trio.fail_after(5):
            assert (await jira.myself()).account_id == "1"


async def test_a_cancel_of_everything_closes_every_connection() -> None:
    async with raw_site(silence) as site:

        async def three(jira: JiraClient) -> None:
            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(jira.myself)

        async def session() -> None:
            async with open_jira(account(site.url)) as jira:
                await three(jira)

        await cancel_when(lambda: site.wait_for_requests(3), session)
        with trio.fail_after(5):
            await site.wait_until_left()
        assert len(site.connections) == 3


async def test_a_cancel_at_any_step_leaves_a_client_that_works() -> None:
    """Cancel at each scheduling step in turn; more cancels than places, so none may be lost."""
    finished = cancelled = steps = 0
    async with raw_site(ME) as site, open_jira(account(site.url), max_concurrency=2) as jira:
        with trio.fail_after(30):
            await jira.myself()
            while finished < 3:
                async with trio.open_nursery() as nursery:
                    scope = trio.CancelScope()

                    async def request(scope: trio.CancelScope = scope) -> None:
                        with scope:
                            await jira.myself()

                    nursery.start_soon(request)
                    for _ in range(steps):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()
                cancelled += scope.cancelled_caught
                finished += not scope.cancelled_caught
                steps += 1
                assert (await jira.myself()).account_id == "1"
        assert cancelled > 5
    with trio.fail_after(5):
        await site.wait_until_left()
