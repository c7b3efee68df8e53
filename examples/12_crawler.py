"""Crawl sites with httpx: each page submits a job for every new link to the same host.

No host gets more than three requests at once. It prints each page, or why it could not get it.
"""

from __future__ import annotations

import re
import sys
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import trio

from ticketr import GiveUp, JobContext, JobQueue, JobSnapshot, Retry, open_job_queue

LINK = re.compile(r"""<a\s[^>]*href=["']([^"']+)""", re.IGNORECASE)


async def visit(
    context: JobContext, client: httpx.AsyncClient, queue: JobQueue, url: str, seen: set[str]
) -> None:
    """Get a page and submit a job for each link that is new."""
    answer = await client.get(url)
    if answer.is_client_error:
        raise GiveUp(f"the server says {answer.status_code}")
    answer.raise_for_status()
    links = {urldefrag(urljoin(url, link)).url for link in LINK.findall(answer.text)}
    links = {link for link in links if urlsplit(link).netloc == urlsplit(url).netloc}
    print(f"{url}: {len(links)} links")
    for link in links - seen:
        seen.add(link)  # before the next checkpoint, so that no other page submits it too
        await submit(client, queue, link, seen)


async def submit(client: httpx.AsyncClient, queue: JobQueue, url: str, seen: set[str]) -> None:
    """Submit a visit of a page under the key of its host."""
    await queue.submit(visit, client, queue, url, seen, id=url, key=urlsplit(url).netloc)


def report(job: JobSnapshot) -> None:
    """Print why a page could not be visited."""
    print(f"{job.id}: {job.error and job.error.message}")


async def main(*starts: str) -> None:
    """Leave the block when no page is left to visit."""
    rule = Retry(attempts=3, first=0.1, on=httpx.HTTPError)
    seen = {*starts}
    async with (
        httpx.AsyncClient() as client,
        open_job_queue(workers=8, key_concurrency=3, retry=rule, on_job_error=report) as queue,
    ):
        for start in starts:
            await submit(client, queue, start, seen)
    print(f"{len(seen)} pages")


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
