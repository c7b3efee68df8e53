"""What the site holds after a fault in front of the real interface."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
import trio
from planned_faults import PlannedFaults
from sandbox_client import demo_site

from jira_sandbox import EMAIL, TOKEN, Fault, FaultKind, Faults, FaultSource, Site, create_app

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
