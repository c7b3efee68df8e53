"""Submit jobs, wait for one, cancel another, and look at what became of them."""

from __future__ import annotations

import trio

from ticketr import JobContext, open_job_queue


async def brew(context: JobContext, what: str, seconds: float) -> str:
    """Take a while and give something back."""
    await trio.sleep(seconds)
    return f"a cup of {what}"


async def main() -> None:
    """Two workers, three jobs."""
    async with open_job_queue(workers=2) as queue:
        tea = await queue.submit(brew, "tea", 0.2)
        coffee = await queue.submit(brew, "coffee", 60, id="coffee")
        water = await queue.submit(brew, "water", 0.1)

        print("served:", await tea.result())
        print("coffee is", queue.status("coffee"))
        print("cancelling coffee:", queue.cancel("coffee", reason="nobody waits that long"))
        print("coffee ended", (await coffee.wait()).status)
        print("served:", await water.result())
        print(queue.statistics())


if __name__ == "__main__":
    trio.run(main)
