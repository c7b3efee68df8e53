"""A site that stops answering: a job says for how long, and takes it back."""

from __future__ import annotations

from pathlib import Path

import trio
from fakes.pulls import Bench, Recorder
from trio.testing import MockClock

from jira_sandbox import create_app, make_site
from ticketr import open_job_queue
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync.session import SILENT


class Silent(Recorder):
    """A transport whose first search is answered after twelve and a half seconds."""

    is_silent = True

    async def send(self, request: Request) -> Response:
        if self.is_silent and "/search" in request.url:
            self.is_silent = False
            await trio.sleep(12.5)
        return await super().send(request)


async def test_a_site_that_does_not_answer_is_named_within_five_seconds(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    bench = Bench(make_site(tickets=3, seed=1), tmp_path)
    job = bench.job(transport=Silent(create_app(bench.site)))
    told: list[tuple[float, str]] = []

    async with open_job_queue(workers=1) as queue:
        handle = await queue.submit(job)
        with handle.watch() as updates:
            async for snapshot in updates:
                if snapshot.progress is not None:
                    told.append((trio.current_time(), snapshot.progress.message))

    silent = [(at, words) for at, words in told if words.startswith("no answer")]
    assert [words for _, words in silent] == [f"no answer for {n}s" for n in range(3, 13)]
    assert silent[0][0] == SILENT
    assert told[-1][1] == "Pull complete: 3 tickets"
