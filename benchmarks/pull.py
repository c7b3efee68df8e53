"""Compare a first pull of 5,000 tickets with a bare httpx loop over the same pages."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import trio
from sizes import size
from table import show

from ticketr import open_job_queue
from ticketr.app.cli.demo_site import open_sandbox
from ticketr.app.cli.job_runner import GC_THRESHOLDS
from ticketr.app.jira import Credentials
from ticketr.app.sync import PullJob
from ticketr.app.sync.compare.mapping import DEFAULT_CUSTOM_FIELD_NAMES, Columns
from ticketr.app.sync.concurrency import BULK_FETCH_SIZE, CONCURRENT_REQUESTS

TICKETS = size(5000, toy=50)
LATENCY = size(0.2, toy=0.0)
ROUNDS = size(3, toy=1)
EMAIL, TOKEN = "demo@example.com", "demo"


@dataclass(eq=False)
class LongestStep(trio.abc.Instrument):
    """Finds the longest time that one task ran without letting others run."""

    longest: float = 0.0
    _begun: float = 0.0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._begun = time.perf_counter()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._begun:  # the instrument starts in the middle of a step
            self.longest = max(self.longest, time.perf_counter() - self._begun)


async def bare_loop(url: str) -> int:
    """Fetch what a pull fetches, and store nothing."""
    limits = httpx.Limits(max_connections=CONCURRENT_REQUESTS)
    async with httpx.AsyncClient(
        base_url=f"{url}/rest/api/3", auth=(EMAIL, TOKEN), limits=limits
    ) as client:
        await client.get("/myself")
        fields = (await client.get("/field")).json()
        ids: list[str] = []
        token = None
        while True:
            body = {"jql": "project = DEMO", "fields": ["id"], "maxResults": 5000}
            if token:
                body["nextPageToken"] = token
            page = (await client.post("/search/jql", json=body)).json()
            ids += [each["id"] for each in page["issues"]]
            if not (token := page.get("nextPageToken")):
                break
        custom = [each["id"] for each in fields if each["name"] in DEFAULT_CUSTOM_FIELD_NAMES]
        asked = [*Columns.of(()).requested_ids, *custom]
        batches = [
            ids[start : start + BULK_FETCH_SIZE] for start in range(0, len(ids), BULK_FETCH_SIZE)
        ]
        count = 0

        async def fetch() -> None:
            nonlocal count
            while batches:
                body = {"issueIdsOrKeys": batches.pop(0), "fields": asked}
                answer = await client.post("/issue/bulkfetch", json=body)
                count += len(answer.json()["issues"])

        async with trio.open_nursery() as nursery:
            for _ in range(CONCURRENT_REQUESTS):
                nursery.start_soon(fetch)
        return count


async def our_pull(url: str, folder: Path) -> int:
    job = PullJob(folder, Credentials(url, EMAIL, TOKEN), project="DEMO")
    async with open_job_queue(workers=1) as queue:
        return (await queue.run(job)).total


async def measure(root: Path) -> None:
    bare: list[float] = []
    ours: list[float] = []
    cpu: list[float] = []
    step = LongestStep()
    async with open_sandbox(tickets=TICKETS, seed=1, latency=LATENCY) as url:
        await bare_loop(url)  # the server serialises each issue once, for the first client
        for number in range(ROUNDS):
            start = time.perf_counter()
            assert await bare_loop(url) == TICKETS
            bare.append(time.perf_counter() - start)

            start, used = time.perf_counter(), time.process_time()
            assert await our_pull(url, root / str(number)) == TICKETS
            ours.append(time.perf_counter() - start)
            cpu.append(time.process_time() - used)
        ratio = statistics.median(bare) / statistics.median(ours)
        per_ticket = statistics.median(cpu) / TICKETS * 1e3
        against = f"{statistics.median(ours):.2f}s against {statistics.median(bare):.2f}s"
        show(
            f"pull of {TICKETS}, latency {LATENCY}s: {ratio:.2f} of a bare httpx loop ({against})",
            f"pull of {TICKETS}: {per_ticket:.2f} ms CPU a ticket",
        )
        trio.lowlevel.add_instrument(step)  # in a separate run, since the instrument costs time
        await our_pull(url, root / "steps")
        trio.lowlevel.remove_instrument(step)
    show(f"pull of {TICKETS}: longest stretch between checkpoints {step.longest * 1e3:.1f} ms")


def run() -> None:
    """Measure, and show the table's rows."""
    gc.freeze()  # for both sides, as the command does
    gc.set_threshold(*GC_THRESHOLDS)
    # Keep one folder until the end: after many files were deleted, ext4 creates new
    # files slowly for some seconds.
    with tempfile.TemporaryDirectory() as root:
        trio.run(measure, Path(root))
