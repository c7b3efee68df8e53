"""Measure pulls with nothing new, pushes of drafts and edits, memory, and PyPI's jira."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import jira
import trio
from pull import EMAIL, LATENCY, TICKETS, TOKEN, our_pull
from sizes import size
from table import show

from ticketr import open_job_queue
from ticketr.app.cli.demo_site import open_sandbox
from ticketr.app.jira import Credentials
from ticketr.app.jira.transport._httpx import HttpxTransport
from ticketr.app.sync import PullJob, PushJob
from ticketr.app.sync.compare.mapping import DEFAULT_CUSTOM_FIELD_NAMES, Columns
from ticketr.app.sync.concurrency import CONCURRENT_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ticketr.app.jira.transport import Request, Response
    from ticketr.app.sync import PushResult

DRAFTS = EDITS = size(500, toy=10)
#: The longest that a push of edits may take, in the time of bare PUTs.
GOAL = 1.15
ROUNDS = size(3, toy=1)
WRITE_LATENCY = size(0.1, toy=0.0)
FEW, MANY = size((10_000, 50_000), toy=(10, 50))


class Counting(HttpxTransport):
    """Counts the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0

    async def send(self, request: Request) -> Response:
        self.requests += 1
        return await super().send(request)


async def nothing_new(root: Path) -> str:
    async with open_sandbox(tickets=TICKETS, seed=1, latency=LATENCY) as url:
        await our_pull(url, root)
        counting = Counting()
        login = Credentials(url, EMAIL, TOKEN)
        start = time.perf_counter()
        async with open_job_queue(workers=1) as queue:
            job = PullJob(root, login, project="DEMO", transport=counting)
            result = await queue.run(job)
        took = time.perf_counter() - start
    assert (result.total, result.unchanged) == (TICKETS, TICKETS)
    return (
        f"second pull of {TICKETS} with nothing new: {counting.requests} requests, {took:.2f}s "
        f"at {LATENCY}s an answer"
    )


async def bare_writes(url: str, writes: Iterable[tuple[str, str, dict[str, object]]]) -> None:
    """Send requests without files, journal or checks, as many at once as a push does."""
    left = list(writes)
    async with httpx.AsyncClient(base_url=f"{url}/rest/api/3", auth=(EMAIL, TOKEN)) as client:

        async def write() -> None:
            while left:
                method, path, fields = left.pop()
                answer = await client.request(method, path, json={"fields": fields})
                answer.raise_for_status()

        async with trio.open_nursery() as nursery:
            for _ in range(CONCURRENT_REQUESTS):
                nursery.start_soon(write)


async def bare_creates(url: str) -> None:
    fields: dict[str, object] = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}}
    drafts = ({**fields, "summary": f"Draft {number}"} for number in range(DRAFTS))
    await bare_writes(url, (("POST", "/issue", draft) for draft in drafts))


async def bare_edits(url: str) -> None:
    numbers = range(1, EDITS + 1)
    await bare_writes(url, (("PUT", f"/issue/DEMO-{n}", {"labels": ["bare"]}) for n in numbers))


def write_drafts(folder: Path) -> None:
    folder.mkdir()
    for number in range(DRAFTS):
        (folder / f"{number}.md").write_text(f"# TICKET: Draft {number}\n", encoding="utf-8")


def edit_labels(folder: Path) -> None:
    """Edit a field of each issue."""
    for path in folder.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"(?m)^( *Labels): .*", r"\1: edited", text), encoding="utf-8")


async def our_push(url: str, folder: Path) -> PushResult:
    async with open_job_queue(workers=1) as queue:
        job = PushJob(folder, Credentials(url, EMAIL, TOKEN), project="DEMO")
        return await queue.run(job)


async def creates(root: Path) -> str:
    bare: list[float] = []
    ours: list[float] = []
    for number in range(ROUNDS):
        async with open_sandbox(tickets=0, seed=1, latency=WRITE_LATENCY) as url:
            start = time.perf_counter()
            await bare_creates(url)
            bare.append(time.perf_counter() - start)
            write_drafts(root / str(number))
            start = time.perf_counter()
            result = await our_push(url, root / str(number))
            ours.append(time.perf_counter() - start)
            assert len(result.created) == DRAFTS, result
    ratio = statistics.median(bare) / statistics.median(ours)
    against = f"{statistics.median(ours):.2f}s against {statistics.median(bare):.2f}s"
    return (
        f"push of {DRAFTS} drafts, latency {WRITE_LATENCY}s: {ratio:.2f} of bare POSTs ({against})"
    )


async def edits(root: Path) -> str:
    bare: list[float] = []
    ours: list[float] = []
    for number in range(ROUNDS):
        async with open_sandbox(tickets=EDITS, seed=1, latency=WRITE_LATENCY) as url:
            start = time.perf_counter()
            await bare_edits(url)
            bare.append(time.perf_counter() - start)
            await our_pull(url, root / str(number))
            edit_labels(root / str(number))
            start = time.perf_counter()
            result = await our_push(url, root / str(number))
            ours.append(time.perf_counter() - start)
            assert len(result.updated) == EDITS, result
    ratio = statistics.median(ours) / statistics.median(bare)
    against = f"{statistics.median(ours):.2f}s against {statistics.median(bare):.2f}s"
    return (
        f"push of {EDITS} edits, latency {WRITE_LATENCY}s: {ratio:.2f} times as long as bare PUTs "
        f"({against}; goal: {GOAL}){'' if ratio <= GOAL else ': MISSED'}"
    )


def search_with_jira(url: str) -> int:
    """Read what a pull reads with PyPI's jira; write no files."""
    client = jira.JIRA(options={"server": url, "check_update": False}, basic_auth=(EMAIL, TOKEN))
    custom = [each["id"] for each in client.fields() if each["name"] in DEFAULT_CUSTOM_FIELD_NAMES]
    fields = [*Columns.of(()).requested_ids, *custom]
    found = client.enhanced_search_issues("project = DEMO", maxResults=0, fields=fields)
    client.close()  # type: ignore[no-untyped-call]
    return len(found)


async def against_jira(root: Path) -> str:
    theirs: list[float] = []
    ours: list[float] = []
    async with open_sandbox(tickets=TICKETS, seed=1, latency=LATENCY) as url:
        await our_pull(url, root / "first")  # the server serialises each issue once
        for number in range(ROUNDS):
            start = time.perf_counter()
            assert await trio.to_thread.run_sync(search_with_jira, url) == TICKETS
            theirs.append(time.perf_counter() - start)
            start = time.perf_counter()
            assert await our_pull(url, root / str(number)) == TICKETS
            ours.append(time.perf_counter() - start)
    ratio = statistics.median(theirs) / statistics.median(ours)
    against = f"{statistics.median(ours):.2f}s against {statistics.median(theirs):.2f}s"
    return f"pull of {TICKETS} into files: {ratio:.2f} times as fast as PyPI's jira searches ({against})"


def peak_of_pull(url: str, folder: Path) -> float:
    """Pull in a new process; return its peak memory, in MB."""
    folder.mkdir()
    settings = {
        "JIRA_URL": url,
        "JIRA_EMAIL": EMAIL,
        "JIRA_API_TOKEN": TOKEN,
        "JIRA_PROJECT_KEY": "DEMO",
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ticketr", "pull", "--plain", "--folder", "."],
        cwd=folder,
        env=os.environ | settings,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return usage.ru_maxrss / 1024


async def memory(root: Path) -> str:
    peaks: dict[int, float] = {}
    for tickets in (FEW, MANY):
        async with open_sandbox(tickets=tickets, seed=1, latency=0) as url:
            folder = root / str(tickets)
            peaks[tickets] = await trio.to_thread.run_sync(peak_of_pull, url, folder)
    each = (peaks[MANY] - peaks[FEW]) / (MANY - FEW) * 1024
    return (
        f"first pull of {MANY}: {peaks[MANY]:.0f} MB at most, of {FEW}: {peaks[FEW]:.0f} MB; "
        f"{each:.2f} kB for each further ticket"
    )


def run() -> None:
    """Measure, and show the table's rows."""
    for part in (nothing_new, creates, edits, against_jira, memory):
        with tempfile.TemporaryDirectory() as root:
            show(trio.run(part, Path(root)))
