"""Download files with httpx: three at a time, with retries and progress in bytes.

Pass the addresses as arguments. It prints the progress and the outcome of each download.
"""

from __future__ import annotations

import sys

import httpx
import trio

from ticketr import GiveUp, JobContext, JobError, JobQueue, Retry, open_job_queue


async def download(context: JobContext, client: httpx.AsyncClient, url: str) -> trio.Path:
    """Stream a response into a file; never leave an incomplete file."""
    path = trio.Path(url.rpartition("/")[2])
    part = path.with_name(f"{path.name}.part")
    try:
        async with client.stream("GET", url) as answer, await part.open("wb") as file:
            if answer.is_client_error:
                raise GiveUp(f"the server says {answer.status_code}")
            answer.raise_for_status()
            size = int(answer.headers.get("content-length", 0))
            async for chunk in answer.aiter_bytes():
                await file.write(chunk)
                context.report(current=answer.num_bytes_downloaded, total=size)
        return await part.replace(path)
    finally:
        with context.cleanup(5):
            await part.unlink(missing_ok=True)  # noqa: ASYNC102 - a bounded shield


async def show(queue: JobQueue) -> None:
    """Print the progress until all jobs have ended."""
    with queue.progress(until_idle=True) as reports:
        async for report in reports:
            print(f"{report.job_id}: {report}")


async def main(urls: list[str]) -> None:
    """Download all files; one that fails does not stop the others."""
    async with (
        httpx.AsyncClient(follow_redirects=True) as client,
        open_job_queue(workers=3, retry=Retry(attempts=4, on=httpx.HTTPError)) as queue,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(show, queue)
        jobs = [await queue.submit(download, client, url, id=url) for url in urls]
        for job in jobs:
            try:
                print(f"{await job.result()} is there")
            except JobError as error:
                print(error)


if __name__ == "__main__":
    trio.run(main, sys.argv[1:])
