"""Test the pages in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from fakes.browser import PROGRAM, open_page
from fakes.page_sources import TOKEN, Source

from ticketr import CancelCause, JobContext, open_job_queue
from ticketr.cluster.web import address_of, listen, serve
from ticketr.cluster.web._login import Token

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")
async def test_log_in_watch_a_job_and_cancel_it(tmp_path: Path) -> None:
    may_go_on = trio.Event()

    async def step(context: JobContext) -> None:
        context.report(current=1, total=4, message="one")
        await may_go_on.wait()
        context.report(current=3, message="three")
        await trio.sleep_forever()

    async with open_job_queue() as queue, trio.open_nursery() as nursery:
        job = await queue.submit(step, id="a/1")
        listener = await listen("127.0.0.1", 0)
        nursery.start_soon(serve, listener, Source(queue), "reports", Token(TOKEN))
        async with open_page(tmp_path) as page:
            await page.call("Page.navigate", url=address_of(listener))
            await page.wait_for("document.querySelector('#token') !== null")
            await page.run(f"document.querySelector('#token').value = {TOKEN!r}")
            await page.run("document.querySelector('button').click()")
            await page.wait_for("location.pathname == '/queue'")
            await page.wait_for("document.querySelector('progress')?.value == 25")
            assert await page.run("getComputedStyle(document.querySelector('.badge')).borderRadius")

            may_go_on.set()
            await page.wait_for("document.querySelector('progress')?.value == 75")
            await page.run("document.querySelector('td a').click()")
            await page.wait_for("document.querySelector('#job h1')?.innerText == 'step'")
            await page.wait_for("document.querySelector('button.btn-danger') !== null")
            await page.run("document.querySelector('button.btn-danger').click()")

            await page.wait_for("document.body.innerText.includes('It was asked to stop.')")
            await page.wait_for("document.body.innerText.includes('cancelled')")
            assert page.dialogs == ["Cancel this job?"]
            assert page.complaints == []
        nursery.cancel_scope.cancel()

    assert job.snapshot().cancel_cause is CancelCause.USER
